// What a picture is before it is drawn: gnuplot's commands, and the rows of numbers that they plot.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel::cli {

/// Numbers beyond this size are drawn as missing: differences and logarithms of the rest cannot overflow.
inline constexpr double kLargestDrawn = 1e150;

/// Whether a number can stand in a picture: finite and at most kLargestDrawn in size.
bool is_drawable(double value);

/// Rows of numbers that the commands call $name.
class DataBlock {
 public:
  explicit DataBlock(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  /// One row; what is not drawable becomes NaN, where gnuplot interrupts a line.
  void row(std::initializer_list<double> numbers);
  void row(const std::vector<double>& numbers);
  /// A mark's place, left out unless it can be drawn: gnuplot 5.4 crashes on a symbol at NaN.
  void point(double x, double y);
  /// Ends a line: the next row starts another one.
  void gap() { text_ += '\n'; }

 private:
  void add(const double* numbers, std::size_t count);

  std::string name_;
  std::string text_;
};

struct Script {
  std::string commands = {};         // without terminal and output
  std::vector<DataBlock> data = {};  // defined before the commands run
  int width = 1200;                  // pixels
  int height = 800;
};

/// The text as one of gnuplot's strings, in which nothing is replaced or executed. Control characters become spaces,
/// bytes that are not UTF-8 become "?", and a quote becomes a typographic one: gnuplot 5.4 loses the text's end at
/// several quotes together, doubled or not.
std::string gnuplot_string(std::string_view text);

/// The same for the label of a tic, which gnuplot reads as the format of a number: "%" is doubled.
std::string gnuplot_tic(std::string_view text);

/// A number as gnuplot reads it, "NaN" if it is not drawable.
std::string number(double value);

/// "0.12", "3", "-1e-05": at most `digits` significant digits, for people.
std::string short_number(double value, int digits = 4);

/// The ends of an axis.
struct Range {
  double low = 0;
  double high = 1;
};
/// Whether it can be an axis: drawable ends that still differ when they are written.
bool has_width(const Range& range);
/// From the lowest to the highest drawable value, 4 % wider on each side, and never empty.
Range range_of(const std::vector<double>& values);

}  // namespace bilevel::cli
