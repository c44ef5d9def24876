#include "pictures/value_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "bilevel/status.hpp"
#include "pictures/marks.hpp"
#include "pictures/series.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

struct Sample {
  double z = 0, lower = 0, upper = 0, answer = 0, value = 0;  // g(z), f(z), A^k(z), phi^k(z)
};

void check(const ValuePicture& picture) {
  if (picture.upper == nullptr || picture.lower == nullptr || picture.map == nullptr) {
    throw InvalidInput("a picture of phi^k needs the upper objective, the lower objective and the follower's map");
  }
  if (picture.steps < 0) throw InvalidInput(fmt::format("a picture of phi^k needs k >= 0, not {}", picture.steps));
  if (!has_width({picture.low, picture.high})) {
    throw InvalidInput(fmt::format("a picture of phi^k needs a range of z, the lower end first, not {} to {}",
                                   picture.low, picture.high));
  }
  for (const auto* phi : {picture.upper, picture.lower}) {
    if (!phi->provides().has(Oracle::value)) {
      throw MissingOracle(fmt::format("a picture of phi^k needs values of '{}', which lacks them", phi->name()));
    }
  }
  const Index m = picture.lower->dim_y();
  if (picture.coordinate < 0 || picture.coordinate >= m) {
    throw InvalidInput(
        fmt::format("the picture's coordinate of z is {}, but must be from 0 to {}", picture.coordinate, m - 1));
  }
  if (picture.z.size() != m && !(picture.z.size() == 0 && m == 1)) {
    throw DimensionMismatch(
        fmt::format("the picture's z has {} entries, but there are {} follower variables", picture.z.size(), m));
  }
  for (const auto& [z, value] : picture.iterations) {
    if (z.size() != 0 && z.size() != m) {
      throw DimensionMismatch(
          fmt::format("an iterate of the picture has {} entries of z, but there are {} follower "
                      "variables",
                      z.size(), m));
    }
  }
}

Sample sample_at(const ValuePicture& picture, double z) {
  Vec y = picture.z.size() > 0 ? picture.z : Vec::Zero(1).eval();
  y[picture.coordinate] = z;
  Sample sample{.z = z, .lower = picture.lower->value(picture.x, y), .upper = picture.upper->value(picture.x, y)};
  for (Index i = 0; i < picture.steps && y.allFinite(); ++i) y = picture.map->apply(picture.x, y);
  sample.answer = y[picture.coordinate];
  sample.value = y.allFinite() ? picture.upper->value(picture.x, y) : std::numeric_limits<double>::quiet_NaN();
  return sample;
}

/// Even samples, halved again and again where A^k or phi^k moves by more than a hundredth of its range.
std::vector<Sample> take_samples(const ValuePicture& picture) {
  constexpr int kEven = 500, kHalvings = 8;
  constexpr std::size_t kMost = 2500;
  std::vector<Sample> samples;
  for (int i = 0; i <= kEven; ++i) {
    samples.push_back(sample_at(picture, picture.low + (picture.high - picture.low) * i / kEven));
  }
  std::vector<double> answers, values;
  for (const auto& sample : samples) {
    answers.push_back(sample.answer);
    values.push_back(sample.value);
  }
  const Range answer_range = range_of(answers), value_range = range_of(values);
  const auto jumps = [&](const Sample& a, const Sample& b) {
    return std::abs(a.answer - b.answer) > 0.01 * (answer_range.high - answer_range.low) ||
           std::abs(a.value - b.value) > 0.01 * (value_range.high - value_range.low);
  };
  for (int round = 0; round < kHalvings && samples.size() < kMost; ++round) {
    std::vector<Sample> finer;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (i > 0 && jumps(samples[i - 1], samples[i])) {
        finer.push_back(sample_at(picture, 0.5 * (samples[i - 1].z + samples[i].z)));
      }
      finer.push_back(samples[i]);
    }
    if (finer.size() == samples.size()) break;
    samples = std::move(finer);
  }
  return samples;
}

/// All of A^k and phi^k, and a third as much beyond for g and f, which leave every frame.
Range shown_range(const std::vector<Sample>& samples) {
  std::vector<double> inner, outer;
  for (const auto& sample : samples) {
    inner.insert(inner.end(), {sample.answer, sample.value});
    outer.insert(outer.end(), {sample.lower, sample.upper});
  }
  const Range range = range_of(inner), wide = range_of(outer);
  const double reach = 0.3 * (range.high - range.low);
  return {std::max(std::min(range.low, wide.low), range.low - reach),
          std::min(std::max(range.high, wide.high), range.high + reach)};
}

std::string k_text(Index steps) {
  static constexpr const char* kRaised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text;
  for (const char digit : fmt::format("{}", steps)) text += kRaised[digit - '0'];
  return text;
}

/// Dotted lines across the panel; their labels stand right of it, moved up where they would cover each other.
std::string reference_commands(std::vector<ReferenceValue> references, const Range& range) {
  constexpr double kLineHeight = 0.04;     // of a label, as a share of the panel
  constexpr std::size_t kLabelWidth = 16;  // columns that fit
  std::erase_if(references, [](const ReferenceValue& reference) { return !is_drawable(reference.value); });
  std::stable_sort(references.begin(), references.end(),
                   [](const ReferenceValue& a, const ReferenceValue& b) { return a.value < b.value; });
  std::string commands;
  double lowest = 0;
  for (const auto& [value, label] : references) {
    const double place = std::max((value - range.low) / (range.high - range.low), lowest);
    lowest = place + kLineHeight;
    commands += fmt::format(
        "set arrow from graph 0,first {0} to graph 1,first {0} nohead lc '#6a6a6a' lw 1.2 dt 3\n"
        "set label {1} at graph 1.015,graph {2:.4f} textcolor '#505050' font ',11'\n",
        number(value), gnuplot_string(cut_to_width(label, kLabelWidth)), place);
  }
  return commands;
}

std::string left_panel(const ValuePicture& picture, const std::vector<Sample>& samples, Script& script) {
  const std::string k = k_text(picture.steps);
  const bool is_line = picture.lower->dim_y() == 1;
  DataBlock curves("curves"), visited("visited");
  std::size_t visits = 0;
  for (const auto& sample : samples) {
    curves.row({sample.z, sample.lower, sample.upper, sample.answer, sample.value});
  }
  std::vector<double> values;
  for (const auto& [z, value] : picture.iterations) values.push_back(value);
  for (const std::size_t i : thinned(values)) {
    const auto& [z, value] = picture.iterations[i];
    if (z.size() == 0) continue;
    visited.point(z[picture.coordinate], value);
    ++visits;
  }
  const Range range = shown_range(samples);
  Layers layers;
  layers.add("$curves using 1:2 with lines lc '#999999' lw 2", "g(z)");
  layers.add("$curves using 1:3 with lines lc '#e69f00' lw 2 dt 2", "f(z)");
  layers.add("$curves using 1:4 with lines lc '#0072b2' lw 2", fmt::format("A{}(z)", k));
  layers.add("$curves using 1:5 with lines lc '#d7191c' lw 2.5", fmt::format("φ{}(z) = f(A{}(z))", k, k));
  script.data.push_back(std::move(curves));
  if (!visited.empty()) {
    layers.add_dots(visited.name(), visits, "iterations");
    script.data.push_back(std::move(visited));
  }
  const std::string axis =
      is_line ? "start z of the follower" : fmt::format("start z[{}] of the follower", picture.coordinate + 1);
  return fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\nset xlabel {}\n", number(picture.low),
                     number(picture.high), number(range.low), number(range.high), gnuplot_string(axis)) +
         layers.plot_command();
}

std::string right_panel(const ValuePicture& picture, Script& script) {
  std::vector<double> values, shown;
  for (const auto& [z, value] : picture.iterations) values.push_back(value);
  shown = values;
  for (const auto& reference : picture.references) shown.push_back(reference.value);
  DataBlock line("along");
  for (const std::size_t i : thinned(values)) line.row({static_cast<double>(i), values[i]});
  const Range range = range_of(shown);
  Layers layers;
  layers.add("$along using 1:2 with lines lc '#d7191c' lw 1.5");
  script.data.push_back(std::move(line));
  return fmt::format("set xrange [0:{}]\nset yrange [{}:{}]\nset xlabel 'iteration'\nset ylabel {}\n",
                     std::max<std::size_t>(values.size() - 1, 1), number(range.low), number(range.high),
                     gnuplot_string(fmt::format("φ{}", k_text(picture.steps)))) +
         reference_commands(picture.references, range) + layers.plot_command();
}

}  // namespace

Script value_picture_script(const ValuePicture& picture) {
  check(picture);
  const auto samples = take_samples(picture);
  const bool has_right = !picture.iterations.empty();
  Script script;
  script.width = has_right ? 1400 : 900;
  script.height = 700;
  constexpr std::size_t kTitleWidth = 70;
  script.commands = fmt::format(
      "set multiplot layout 1,{} margins screen 0.07,{},0.2,0.9 spacing screen 0.09\n"
      "set label 1 {} at screen 0.5,0.955 center font ',17'\n"
      "set tics out nomirror\nset grid lc '#d8d8d8' lt 1\nset border 3\n"
      "set key at screen 0.5,0.05 center vertical Left reverse samplen 2.5 width 1 maxrows {}\nset format '%h'\n",
      has_right ? 2 : 1, has_right && !picture.references.empty() ? 0.9 : 0.97,
      gnuplot_string(cut_to_width(picture.title, kTitleWidth)), has_right ? 1 : 2);
  script.commands += left_panel(picture, samples, script);
  if (has_right) script.commands += "unset label 1\n" + right_panel(picture, script);
  script.commands += "unset multiplot\n";
  return script;
}

}  // namespace bilevel::cli
