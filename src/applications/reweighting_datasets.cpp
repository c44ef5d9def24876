#include "applications/reweighting_datasets.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "applications/reweighting_rows.hpp"
#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "bilevel/text.hpp"

namespace bilevel {

namespace {

using Rows = std::vector<std::uint32_t>;

constexpr std::string_view kImages = "fashion-mnist", kMessages = "spam-assassin";

/// Takes the next rows of a drawn order.
class Deal {
 public:
  explicit Deal(Rows order) : order_(std::move(order)) {}
  Rows next(std::size_t count) {
    const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(taken_);
    taken_ += count;
    return {begin, order_.begin() + static_cast<std::ptrdiff_t>(taken_)};
  }
  std::size_t left() const { return order_.size() - taken_; }

 private:
  Rows order_;
  std::size_t taken_ = 0;
};

// ------------------------------------------------------------------------------------------------- Fashion-MNIST

struct ImageSource {
  std::string name, from;
  std::size_t share;  // in units of source-rows
  bool wrong_labels = false, turned = false;
};

std::vector<ImageSource> image_sources(double noise) {
  return {{"clean-1", "as they are", 1},
          {"clean-2", "as they are", 1},
          {"mislabelled", fmt::format("{:.3g} % of the labels wrong", 100 * noise), 2, true, false},
          {"turned", "another domain: rows and columns of each image exchanged", 2, false, true}};
}

/// Exchanges rows and columns of the images at the given rows of the table.
void turn(data::Table& table, const Rows& rows) {
  const std::size_t height = table.image_height, width = table.image_width;
  std::vector<float> turned(height * width);
  for (const auto row : rows) {
    float* const image = table.dense.data() + row * table.features;
    for (std::size_t i = 0; i < height; ++i) {
      for (std::size_t j = 0; j < width; ++j) turned[j * height + i] = image[i * width + j];
    }
    std::copy(turned.begin(), turned.end(), image);
  }
}

void mislabel(data::Table& table, const Rows& rows, double share, std::uint64_t seed) {
  std::vector<std::int32_t> labels;
  for (const auto row : rows) labels.push_back(table.labels[row]);
  labels = data::corrupt_labels(labels, table.classes, share, data::Corruption::uniform, seed).labels;
  for (std::size_t i = 0; i < rows.size(); ++i) table.labels[rows[i]] = labels[i];
}

ReweightingData draw_images(const data::Table& whole, const data::Table& test, const ReweightingInputOptions& options,
                            std::size_t valid_rows, std::uint64_t seed) {
  Deal deal(Random(seed).permutation(whole.rows));
  const auto plans = image_sources(options.noise);
  Rows drawn = deal.next(valid_rows);
  RowParts parts;
  std::uint32_t position = 0;
  const auto count_up = [&](std::size_t count) {
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) rows.push_back(position++);
    return rows;
  };
  parts.valid = count_up(valid_rows);
  for (const auto& plan : plans) {
    const auto rows = deal.next(plan.share * options.source_rows);
    drawn.insert(drawn.end(), rows.begin(), rows.end());
    parts.sources.push_back({plan.name, count_up(rows.size())});
  }
  auto table = data::subset(whole, drawn);
  for (std::size_t k = 0; k < plans.size(); ++k) {
    if (plans[k].wrong_labels) mislabel(table, parts.sources[k].rows, options.noise, seed);
    if (plans[k].turned) turn(table, parts.sources[k].rows);
  }
  return assemble(table, parts, &test, fit_scaling(table, parts, options.scaling));
}

ReweightingInput read_images(const ReweightingInputOptions& options) {
  const auto dataset = data::named_dataset(kImages);
  data::ReadOptions read;
  read.class_names = dataset.class_names;
  const auto whole = std::make_shared<const data::Table>(data::read_table(dataset.train, read));
  const auto test = std::make_shared<const data::Table>(data::read_table_like(dataset.test, *whole));
  constexpr std::size_t kValidRows = 500;
  const auto valid_rows = options.valid_rows.value_or(kValidRows);
  ReweightingInput input;
  std::size_t wanted = valid_rows;
  for (const auto& source : image_sources(options.noise)) {
    const auto rows = source.share * options.source_rows;
    input.sources.push_back({source.name, source.from, rows, source.wrong_labels || source.turned});
    wanted += rows;
  }
  if (wanted > whole->rows) {
    throw InvalidOption(
        fmt::format("options 'source-rows' ({}) and 'valid-rows' ({}) ask for {} rows in all, but {} has {}",
                    options.source_rows, valid_rows, wanted, kImages, whole->rows));
  }
  input.valid_rows = valid_rows;
  input.test_rows = test->rows;
  input.features = whole->features;
  input.class_names = whole->class_names;
  input.valid_source = fmt::format("drawn from the {} training rows of {}, as the sources are", whole->rows, kImages);
  input.test_source = fmt::format("all test rows of {}", kImages);
  input.drawn = "which rows are drawn, and which labels are wrong";
  input.draw = [whole, test, options, valid_rows](std::uint64_t seed) {
    return draw_images(*whole, *test, options, valid_rows, seed);
  };
  return input;
}

// --------------------------------------------------------------------------------------------------- SpamAssassin

/// The target is the mail that is hard to tell: of these two folders, in equal shares.
constexpr std::string_view kHardHam = "hard-ham-1", kLateSpam = "spam-2";

std::string target_specification() {
  std::string ham, spam;
  for (const auto& [name, spec] : data::spam_assassin_sources()) {
    if (name == kHardHam) ham = spec;
    if (name == kLateSpam) spam = spec;
  }
  return ham + "," + spam;
}

/// All messages, and which rows are of which folder.
struct Messages {
  data::Table table;
  std::vector<SourceRows> folders;
};

Rows& rows_of(std::vector<SourceRows>& folders, std::string_view name) {
  return std::find_if(folders.begin(), folders.end(), [&](const auto& folder) { return folder.name == name; })->rows;
}

Messages read_messages(const ReweightingInputOptions& options) {
  const data::TextOptions text{
      .buckets = options.texts.buckets, .skip_headers = !options.texts.mail_headers, .text = {}, .label = {}};
  Messages messages{data::read_text(target_specification(), text), {}};
  auto& table = messages.table;
  const auto of_target = table.rows;
  for (const auto& [name, spec] : data::spam_assassin_sources()) {
    SourceRows folder{name, {}};
    if (name == kHardHam || name == kLateSpam) {
      const bool spam = name == kLateSpam;
      for (std::uint32_t row = 0; row < of_target; ++row) {
        if ((table.class_names[static_cast<std::size_t>(table.labels[row])] == "spam") == spam)
          folder.rows.push_back(row);
      }
    } else {
      const auto first = static_cast<std::uint32_t>(table.rows);
      append_rows(table, data::read_text_like(spec, table, text));
      for (auto row = first; row < table.rows; ++row) folder.rows.push_back(row);
    }
    messages.folders.push_back(std::move(folder));
  }
  return messages;
}

struct MessageCounts {
  std::size_t valid, test;  // of each of the two folders
};

ReweightingData draw_messages(const Messages& messages, const MessageCounts& counts, data::Scaling scaling,
                              std::uint64_t seed) {
  RowParts parts{messages.folders, {}};
  Rows test_rows;
  for (const auto name : {kHardHam, kLateSpam}) {
    auto& rows = rows_of(parts.sources, name);
    auto order = Random(seed).permutation(rows.size());
    for (auto& position : order) position = rows[position];
    Deal deal(std::move(order));
    for (const auto row : deal.next(counts.valid)) parts.valid.push_back(row);
    for (const auto row : deal.next(counts.test)) test_rows.push_back(row);
    rows = deal.next(deal.left());
  }
  const auto test = data::subset(messages.table, test_rows);
  return assemble(messages.table, parts, &test, fit_scaling(messages.table, parts, scaling));
}

ReweightingInput read_mail(const ReweightingInputOptions& options) {
  const auto messages = std::make_shared<Messages>(read_messages(options));
  constexpr std::size_t kValidRows = 100, kTestRows = 100;  // of the smaller folder 100 are left
  const std::size_t valid = options.valid_rows.value_or(kValidRows) / 2;
  const auto smallest =
      std::min(rows_of(messages->folders, kHardHam).size(), rows_of(messages->folders, kLateSpam).size());
  if (valid == 0 || valid + kTestRows >= smallest) {
    throw InvalidOption(fmt::format(
        "option 'valid-rows' is {}, but half of them are drawn from the {} messages of {}, where {} more are for the "
        "test: give 2 to {}",
        2 * valid, smallest, kHardHam, kTestRows, 2 * (smallest - kTestRows - 1)));
  }
  ReweightingInput input;
  for (const auto& folder : messages->folders) {
    const bool target = folder.name == kHardHam || folder.name == kLateSpam;
    const auto rows = folder.rows.size() - (target ? valid + kTestRows : 0);
    input.sources.push_back({folder.name, target ? "what the target leaves of the folder" : "the folder", rows, false});
  }
  input.valid_rows = 2 * valid;
  input.test_rows = 2 * kTestRows;
  input.features = messages->table.features;
  input.class_names = messages->table.class_names;
  input.valid_source = fmt::format("drawn from {} and {}, half each", kHardHam, kLateSpam);
  input.test_source = "drawn likewise";
  input.drawn = "which messages of these two folders are the target's";
  input.draw = [messages, counts = MessageCounts{valid, kTestRows}, scaling = options.scaling](std::uint64_t seed) {
    return draw_messages(*messages, counts, scaling, seed);
  };
  return input;
}

}  // namespace

std::vector<std::string> reweighting_dataset_names() { return {std::string(kImages), std::string(kMessages)}; }

ReweightingInput read_reweighting_dataset(const ReweightingInputOptions& options) {
  if (options.dataset == kImages) return read_images(options);
  if (options.dataset == kMessages) return read_mail(options);
  const auto nearest = nearest_name(options.dataset, reweighting_dataset_names());
  throw InvalidInput(fmt::format("the data set '{}' is unknown{}; known: {}", options.dataset,
                                 nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest),
                                 fmt::join(reweighting_dataset_names(), ", ")));
}

}  // namespace bilevel
