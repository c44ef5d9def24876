#include "sources/formula_diagnosis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "sources/formula_error.hpp"
#include "sources/formula_functions.hpp"
#include "sources/formula_syntax.hpp"

namespace bilevel {

namespace {

constexpr std::size_t kMostKinks = 16;
// Of a branch: the first ones are enough to name one.
constexpr std::size_t kMostTroubles = 64;
// Branches that differ by less, relative to their terms, meet at the switch: rounding of some dozen operations.
constexpr double kMeetWithin = 1e-12;

/// A part's value, the size of the terms that it is summed from, and whether it depends on x or y.
struct Part {
  double value = 0, size = 0;
  bool varies = false;
};

class Diagnoser {
 public:
  Diagnoser(std::string_view text, const FormulaParameters& parameters, const Vec& x, const Vec& y)
      : text_(text), syntax_(parse_syntax(text, parameters)), x_(x), y_(y), indices_(syntax_.index_slots) {}

  FormulaDiagnosis run() {
    part(syntax_.root);
    FormulaDiagnosis result;
    auto& kinks = found_.kinks;
    std::ranges::stable_sort(kinks, {}, &FoundKink::nearness);
    for (const FoundKink& kink : kinks) {
      const SyntaxNode& node = syntax_[kink.node];
      const auto shown =
          node.kind == SyntaxKind::compare ? fmt::format("if({}, ..)", shown_text(node)) : shown_text(node);
      result.kinks.push_back(
          {fmt::format("{} {}", shown, place(node.begin, kink.sums)), kink.distance, kink.scale, kink.order});
    }
    if (const auto worst = std::ranges::min_element(found_.troubles, {}, &Trouble::grade);
        worst != found_.troubles.end()) {
      result.nonfinite = sentence(*worst);
    }
    return result;
  }

 private:
  using Sums = std::vector<std::pair<std::string_view, double>>;  // the indices around a place

  struct FoundKink {
    std::uint32_t node;
    double distance, scale;
    int order;
    Sums sums;
    double nearness() const { return scale > 0 ? distance / scale : distance; }
  };
  /// Derivative `grade` (0: the value) of an operation is not finite. `a` and `b` are its operands, and `node` is what
  /// to show: of a quotient the divisor.
  struct Trouble {
    enum class Of { entry, function, power, divisor, result };
    Of of;
    int grade;
    std::uint32_t node;
    double number, a, b;
    Sums sums;
  };
  using Of = Trouble::Of;
  struct Found {
    std::vector<FoundKink> kinks;
    std::vector<Trouble> troubles;
  };

  // ------------------------------------------------------------------------------------------------ what is found

  void add_kink(std::uint32_t node, double distance, double scale, int order) {
    if (!std::isfinite(distance)) return;
    FoundKink kink{node, distance, scale, order, sums_};
    if (found_.kinks.size() < kMostKinks) {
      found_.kinks.push_back(std::move(kink));
      return;
    }
    auto& farthest = *std::ranges::max_element(found_.kinks, {}, &FoundKink::nearness);
    if (kink.nearness() < farthest.nearness()) farthest = std::move(kink);
  }

  void merge(Found&& other) {
    for (auto& kink : other.kinks) {
      std::swap(sums_, kink.sums);
      add_kink(kink.node, kink.distance, kink.scale, kink.order);
      std::swap(sums_, kink.sums);
    }
    for (auto& trouble : other.troubles) {
      if (found_.troubles.size() < kMostTroubles) found_.troubles.push_back(std::move(trouble));
    }
  }

  /// part(node) with what it finds kept apart.
  std::pair<Part, Found> apart(std::uint32_t node) {
    Found outer = std::exchange(found_, {});
    const Part result = part(node);
    return {result, std::exchange(found_, std::move(outer))};
  }

  /// Notes the first derivative, from the value on, that is not finite while the operands are.
  void examine(Of of, std::uint32_t node, double value, double first, double second, Part a, Part b = {}) {
    if (!(a.varies || b.varies) || !std::isfinite(a.value) || !std::isfinite(b.value)) return;
    const double derivatives[] = {value, first, second};
    for (int grade = 0; grade < 3; ++grade) {
      if (std::isfinite(derivatives[grade])) continue;
      if (found_.troubles.size() < kMostTroubles) {
        found_.troubles.push_back({of, grade, node, derivatives[grade], a.value, b.value, sums_});
      }
      return;
    }
  }

  // ---------------------------------------------------------------------------------------------------- the tree

  Part part(std::uint32_t number) {
    const SyntaxNode& node = syntax_[number];
    const auto child = [&](std::size_t i) { return part(node.children[i].node); };
    switch (node.kind) {
      case SyntaxKind::number: return {node.number, std::abs(node.number)};
      case SyntaxKind::index: return {indices_[node.slot], std::abs(indices_[node.slot])};
      case SyntaxKind::entry: return entry(number, node.of_y ? y_ : x_);
      case SyntaxKind::parameter: {
        const double index = node.children.empty() ? 1 : std::round(child(0).value);
        const double value = (*node.values)[static_cast<std::size_t>(index) - 1];
        return {value, std::abs(value)};
      }
      case SyntaxKind::add: return add(number);
      case SyntaxKind::multiply: return multiply(number);
      case SyntaxKind::negate: {
        const Part a = child(0);
        return {-a.value, a.size, a.varies};
      }
      case SyntaxKind::power: return power(number);
      case SyntaxKind::call: return call(number);
      case SyntaxKind::sum: return sum(number);
      case SyntaxKind::choose: return choose(number);
      case SyntaxKind::compare: return compare(number);
      case SyntaxKind::opposite: {
        const Part a = child(0);
        return {1 - a.value, 1, a.varies};
      }
      case SyntaxKind::both:
      case SyntaxKind::either: break;
    }
    const double decisive = node.kind == SyntaxKind::either ? 1 : 0;
    Part all{1 - decisive, 1, false};
    for (const SyntaxChild& each : node.children) {
      const Part condition = part(each.node);
      if (!condition.varies && condition.value == decisive) return condition;  // as in the graph: others need not be
      all.varies = all.varies || condition.varies;
      if (std::isnan(condition.value) || condition.value == decisive) all.value += condition.value - all.value;
    }
    return all;
  }

  Part entry(std::uint32_t number, const Vec& vector) {
    const SyntaxNode& node = syntax_[number];
    const double index = node.children.empty() ? node.number : std::round(part(node.children[0].node).value);
    const double value = vector[static_cast<Index>(index) - 1];
    if (!std::isfinite(value) && found_.troubles.size() < kMostTroubles) {
      found_.troubles.push_back({Of::entry, 0, number, value, 0, 0, sums_});
    }
    return {value, std::abs(value), true};
  }

  Part add(std::uint32_t number) {
    Part total;
    bool finite = true;
    for (const SyntaxChild& each : syntax_[number].children) {
      const Part term = part(each.node);
      finite = finite && std::isfinite(term.value);
      total.value += each.inverse ? -term.value : term.value;
      total.size += term.size;
      total.varies = total.varies || term.varies;
    }
    if (finite) examine(Of::result, number, total.value, 0, 0, {0, 0, total.varies});
    return total;
  }

  Part multiply(std::uint32_t number) {
    const auto& children = syntax_[number].children;
    Part total = part(children[0].node);
    for (std::size_t i = 1; i < children.size(); ++i) {
      const Part factor = part(children[i].node);
      Part next{total.value * factor.value, total.size * factor.size, total.varies || factor.varies};
      if (children[i].inverse) {
        const auto slopes = binary_slopes<Op::quotient, 2>(total.value, factor.value);
        next.value = slopes.value;
        next.size = total.size / std::abs(factor.value);
        const bool matters = factor.varies;  // else it is a product with a constant
        examine(Of::divisor, children[i].node, slopes.value, matters ? slopes.first_b : 0,
                matters ? slopes.second_bb : 0, factor, total);
      } else {
        examine(Of::result, number, next.value, 0, 0, total, factor);
      }
      total = next;
    }
    return total;
  }

  Part power(std::uint32_t number) {
    const SyntaxNode& node = syntax_[number];
    const Part a = part(node.children[0].node), b = part(node.children[1].node);
    const double p = b.value;
    if (!b.varies) {
      if (p == 0) return {1, 1};
      if (p == 1) return a;
      const auto s =
          std::floor(p) == p ? slopes<Op::whole_power, 2>(a.value, p) : slopes<Op::fixed_power, 2>(a.value, p);
      examine(Of::power, number, s.value, s.first, s.second, a, b);
      return {s.value, std::abs(s.value), a.varies};
    }
    if (!a.varies) {
      const auto s = slopes<Op::fixed_base, 2>(p, a.value);
      examine(Of::power, number, s.value, s.first, s.second, a, b);
      return {s.value, std::abs(s.value), true};
    }
    const auto s = binary_slopes<Op::free_power, 2>(a.value, p);
    examine(Of::power, number, s.value, s.first_a + s.first_b, s.second_aa + s.second_ab + s.second_bb, a, b);
    return {s.value, std::abs(s.value), true};
  }

  Part call(std::uint32_t number) {
    const SyntaxNode& node = syntax_[number];
    const Op op = functions()[node.slot].op;
    if (is_extremum(op)) return extremum(number, op);
    const Part a = part(node.children[0].node);
    if (a.varies && op == Op::absolute) add_kink(number, std::abs(a.value), a.size, 1);
    if (a.varies && op == Op::huber_loss) add_kink(number, std::abs(std::abs(a.value) - 1), a.size + 1, 2);
    const auto s = op == Op::square ? Slopes{a.value * a.value, 2 * a.value, 2}
                                    : with_unary(op, [&]<Op kOp>() { return slopes<kOp, 2>(a.value, 0.0); });
    examine(Of::function, number, s.value, s.first, s.second, a);
    return {s.value, std::abs(s.value), a.varies};
  }

  Part extremum(std::uint32_t number, Op op) {
    std::vector<std::pair<Part, Found>> all;
    for (const SyntaxChild& each : syntax_[number].children) all.push_back(apart(each.node));
    std::size_t best = 0;
    bool varies = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const double value = all[i].first.value, before = all[best].first.value;
      varies = varies || all[i].first.varies;
      if (!std::isnan(before) && !(op == Op::larger ? before > value : before < value)) best = i;
    }
    const Part chosen = all[best].first;
    double nearest = std::numeric_limits<double>::infinity(), scale = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Part& other = all[i].first;
      if (i == best || !(other.varies || chosen.varies)) continue;
      const double distance = std::abs(chosen.value - other.value);
      if (!(distance < nearest)) continue;
      nearest = distance;
      scale = chosen.size + other.size;
    }
    add_kink(number, nearest, scale, 1);
    merge(std::move(all[best].second));
    return {chosen.value, chosen.size, varies};
  }

  Part sum(std::uint32_t number) {
    const SyntaxNode& node = syntax_[number];
    const double from = std::round(part(node.children[0].node).value),
                 to = std::round(part(node.children[1].node).value);
    Part total;
    bool finite = true;
    sums_.emplace_back(node.name, from);
    for (double i = from; i <= to; ++i) {
      indices_[node.slot] = sums_.back().second = i;
      const Part term = part(node.children[2].node);
      finite = finite && std::isfinite(term.value);
      total = {total.value + term.value, total.size + term.size, total.varies || term.varies};
    }
    sums_.pop_back();
    if (finite) examine(Of::result, number, total.value, 0, 0, {0, 0, total.varies});
    return total;
  }

  Part compare(std::uint32_t number) {
    const SyntaxNode& node = syntax_[number];
    const Part a = part(node.children[0].node), b = part(node.children[1].node);
    const bool varies = a.varies || b.varies;
    if (varies) switches_.push_back({number, std::abs(a.value - b.value), a.size + b.size, 0, sums_});
    if (std::isnan(a.value) || std::isnan(b.value)) return {a.value + b.value, 1, varies};
    bool holds = false;
    switch (static_cast<Relation>(node.slot)) {
      case Relation::less: holds = a.value < b.value; break;
      case Relation::at_most: holds = a.value <= b.value; break;
      case Relation::more: holds = a.value > b.value; break;
      case Relation::at_least: holds = a.value >= b.value; break;
      case Relation::equal: holds = a.value == b.value; break;
      case Relation::unequal: holds = a.value != b.value; break;
    }
    return {holds ? 1.0 : 0.0, 1, varies};
  }

  Part choose(std::uint32_t number) {
    const SyntaxNode& node = syntax_[number];
    auto outer = std::exchange(switches_, {});
    auto [condition, in_condition] = apart(node.children[0].node);
    const auto switches = std::exchange(switches_, std::move(outer));
    if (std::isnan(condition.value)) {
      std::erase_if(in_condition.troubles, [](const Trouble& trouble) { return trouble.grade > 0; });
      in_condition.kinks.clear();
      merge(std::move(in_condition));
      return {condition.value, 1, true};
    }
    const std::uint32_t chosen = node.children[condition.value != 0 ? 1 : 2].node;
    const Part result = part(chosen);
    if (!condition.varies) return result;
    const Part other = apart(node.children[condition.value != 0 ? 2 : 1].node).first;
    const bool meets = std::abs(result.value - other.value) <= kMeetWithin * (result.size + other.size);
    for (const FoundKink& each : switches) add_kink(each.node, each.distance, each.scale, meets ? 1 : 0);
    return {result.value, result.size, true};
  }

  // ---------------------------------------------------------------------------------------------------- sentences

  std::string shown_text(const SyntaxNode& node) const {
    return shortened(text_.substr(node.begin, node.end - node.begin));
  }

  /// "at column 3", "at line 2, column 5, for i = 7".
  std::string place(std::size_t offset, const Sums& sums) const {
    const auto at = position_of(text_, offset);
    const bool has_lines = text_.find('\n') != std::string_view::npos;
    auto place =
        has_lines ? fmt::format("at line {}, column {}", at.line, at.column) : fmt::format("at column {}", at.column);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      place += fmt::format("{}{} = {}", i == 0 ? " for " : ", ", shortened(sums[i].first), sums[i].second);
    }
    return place;
  }

  std::string sentence(const Trouble& trouble) const {
    const SyntaxNode& node = syntax_[trouble.node];
    const auto shown = fmt::format("{} {}", shown_text(node), place(node.begin, trouble.sums));
    const std::string_view what = std::isnan(trouble.number) ? "not a number" : "infinite";
    std::string where;
    if (trouble.grade > 0) {
      where = fmt::format(", where the {}derivative is {}", trouble.grade == 1 ? "" : "second ", what);
    } else if (std::isinf(trouble.number)) {
      where = ", where the value is infinite";
    }
    switch (trouble.of) {
      case Of::entry:
      case Of::result: return fmt::format("{} is {}", shown, what);
      case Of::function: return fmt::format("{} has the argument {:.6g}{}", shown, trouble.a, where);
      case Of::power:
        return fmt::format("{} has the base {:.6g} and the exponent {:.6g}{}", shown, trouble.a, trouble.b, where);
      case Of::divisor: break;
    }
    return fmt::format("the divisor {} is {:.6g}{}", shown, trouble.a, trouble.a == 0 ? "" : where);
  }

  std::string_view text_;
  Syntax syntax_;
  const Vec& x_;
  const Vec& y_;
  std::vector<double> indices_;
  Sums sums_;
  Found found_;
  std::vector<FoundKink> switches_;  // comparisons of the condition that is being read
};

}  // namespace

FormulaDiagnosis diagnose(std::string_view text, const FormulaParameters& parameters, const Vec& x, const Vec& y) {
  return Diagnoser(text, parameters, x, y).run();
}

}  // namespace bilevel
