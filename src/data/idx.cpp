#include "data/idx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "bilevel/status.hpp"
#include "data/class_labels.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr std::uint8_t kSignedByte = 0x09;
constexpr std::uint8_t kShort = 0x0B;
constexpr std::uint8_t kInt = 0x0C;

std::size_t bytes_per_value(std::uint8_t type) {
  switch (type) {
    case kUnsignedByte:
    case kSignedByte: return 1;
    case kShort: return 2;
    case kInt:
    case 0x0D:  // float
      return 4;
    case 0x0E:  // double
      return 8;
    default: return 0;
  }
}

struct IdxArray {
  std::string name;
  std::string bytes;
  std::uint8_t type = 0;
  std::vector<std::size_t> sizes;
  std::size_t data_at = 0;

  const unsigned char* data() const { return reinterpret_cast<const unsigned char*>(bytes.data()) + data_at; }
};

std::string shape(const std::vector<std::size_t>& sizes) { return fmt::format("{}", fmt::join(sizes, " x ")); }

IdxArray parse_idx(std::string content, const std::string& name) {
  IdxArray array;
  array.name = name;
  array.bytes = std::move(content);
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(array.bytes[i])); };
  if (array.bytes.size() < 4) {
    throw InvalidInput(
        fmt::format("{}: holds {}, too few for an IDX header", name, counted(array.bytes.size(), "byte")));
  }
  array.type = static_cast<std::uint8_t>(byte(2));
  const std::size_t width = bytes_per_value(array.type);
  if (byte(0) != 0 || byte(1) != 0 || width == 0 || byte(3) == 0) {
    throw InvalidInput(
        fmt::format("{}: starts with the bytes {:02x} {:02x} {:02x} {:02x}, which is not the header of an IDX file "
                    "(00 00, a type 08..0e, the number of dimensions)",
                    name, byte(0), byte(1), byte(2), byte(3)));
  }
  const std::size_t dimensions = byte(3);
  array.data_at = 4 + 4 * dimensions;
  if (array.bytes.size() < array.data_at) {
    throw InvalidInput(
        fmt::format("{}: breaks off in the header: {} of {} bytes", name, array.bytes.size(), array.data_at));
  }
  const std::size_t available = array.bytes.size() - array.data_at;
  std::size_t needed = width;
  bool overflow = false;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const std::size_t at = 4 + 4 * i;
    const std::size_t size = byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
    array.sizes.push_back(size);
    overflow = overflow || (size != 0 && needed > std::numeric_limits<std::size_t>::max() / size);
    needed *= size;
  }
  if (std::find(array.sizes.begin(), array.sizes.end(), 0U) != array.sizes.end()) {
    throw InvalidInput(fmt::format("{}: has the shape {}, so it holds nothing", name, shape(array.sizes)));
  }
  if (overflow || needed > available) {
    throw InvalidInput(
        fmt::format("{}: the header promises {} values of {} ({} bytes after byte {}), but only {} are "
                    "there",
                    name, shape(array.sizes), counted(width, "byte"),
                    overflow ? "more than 2^64" : fmt::format("{}", needed), array.data_at, available));
  }
  if (needed < available) {
    throw InvalidInput(fmt::format("{}: the header promises {} values, which end at byte {}, but {} follow", name,
                                   shape(array.sizes), array.data_at + needed, counted(available - needed, "byte")));
  }
  return array;
}

std::int64_t label_at(const IdxArray& array, std::size_t i) {
  const unsigned char* p = array.data() + i * bytes_per_value(array.type);
  const auto at = [p](int k) { return static_cast<std::uint32_t>(p[k]); };
  switch (array.type) {
    case kUnsignedByte: return p[0];
    case kSignedByte: return static_cast<std::int8_t>(p[0]);
    case kShort: return static_cast<std::int16_t>(static_cast<std::uint16_t>(at(0) << 8 | at(1)));
    default: return static_cast<std::int32_t>(at(0) << 24 | at(1) << 16 | at(2) << 8 | at(3));
  }
}

void check_label_type(const IdxArray& labels) {
  if (labels.type > kInt) {
    throw InvalidInput(fmt::format("{}: holds values of type {:02x}; labels must be integers (08, 09, 0b or 0c)",
                                   labels.name, labels.type));
  }
}

void check_roles(const IdxArray& images, const IdxArray& labels) {
  if (labels.sizes.size() != 1 || images.sizes.size() == 1) {
    throw InvalidInput(
        fmt::format("{} holds {} values and {} holds {}: an IDX pair is one file of images (2 or 3 dimensions) and one "
                    "of labels (1 dimension)",
                    images.name, shape(images.sizes), labels.name, shape(labels.sizes)));
  }
  if (images.sizes.size() > 3) {
    throw InvalidInput(fmt::format("{}: has {} dimensions; images must have 2 or 3", images.name, images.sizes.size()));
  }
  if (images.type != kUnsignedByte) {
    throw InvalidInput(
        fmt::format("{}: holds values of type {:02x}; images must be unsigned bytes (08)", images.name, images.type));
  }
  check_label_type(labels);
  if (images.sizes[0] != labels.sizes[0]) {
    throw InvalidInput(fmt::format("{} holds {}, but {} holds {}", images.name, counted(images.sizes[0], "image"),
                                   labels.name, counted(labels.sizes[0], "label")));
  }
}

void read_pixels(Table& table, const IdxArray& images, std::size_t max_bytes) {
  const std::size_t count = table.rows * table.features;
  if (count > max_bytes / sizeof(float)) {
    throw InvalidInput(fmt::format("{}: {} pixels need {} bytes, more than the allowed {}", images.name, count,
                                   count * sizeof(float), max_bytes));
  }
  const unsigned char* pixels = images.data();
  table.dense.reserve(count);
  table.dense.assign(pixels, pixels + count);
}

void note_constant_pixels(Table& table, const IdxArray& images) {
  const unsigned char* first = images.data();
  std::vector<unsigned char> varies(table.features, 0);
  for (std::size_t row = 1; row < table.rows; ++row) {
    const unsigned char* pixels = first + row * table.features;
    for (std::size_t j = 0; j < table.features; ++j) varies[j] |= static_cast<unsigned char>(pixels[j] ^ first[j]);
  }
  const auto constant = static_cast<std::size_t>(std::count(varies.begin(), varies.end(), 0));
  if (constant > 0) {
    table.notes.push_back(fmt::format("{} of {} pixels have one value in all images; standardizing makes them 0",
                                      constant, table.features));
  }
}

}  // namespace

bool looks_like_idx(std::string_view bytes) {
  return bytes.size() >= 4 && bytes[0] == '\0' && bytes[1] == '\0' &&
         bytes_per_value(static_cast<std::uint8_t>(bytes[2])) > 0;
}

void check_idx_beginning(std::string_view bytes, const std::string& name, std::size_t max_bytes) {
  constexpr double kMuch = 1 << 20;
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t dimensions = byte(3);
  const std::size_t data_at = 4 + 4 * dimensions;
  if (bytes.size() < data_at) return;
  auto size = static_cast<double>(bytes_per_value(static_cast<std::uint8_t>(byte(2))));
  for (std::size_t at = 4; at < data_at; at += 4) {
    size *= static_cast<double>(byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3));
  }
  size += static_cast<double>(data_at);
  if (size > static_cast<double>(max_bytes)) {
    throw InvalidInput(
        fmt::format("{}: the header promises {:.0f} bytes, more than the allowed {}", name, size, max_bytes));
  }
  if (static_cast<double>(bytes.size()) > size + kMuch) {
    throw InvalidInput(
        fmt::format("{}: the header promises {:.0f} bytes, but more than {} are there", name, size, bytes.size()));
  }
}

std::vector<std::int64_t> read_idx_labels(std::string content, const std::string& name) {
  const IdxArray labels = parse_idx(std::move(content), name);
  if (labels.sizes.size() != 1) {
    throw InvalidInput(
        fmt::format("{}: holds {} values; labels must have 1 dimension", labels.name, shape(labels.sizes)));
  }
  check_label_type(labels);
  std::vector<std::int64_t> values(labels.sizes[0]);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = label_at(labels, i);
  return values;
}

void read_idx_pair(Table& table, std::string first, const std::string& first_name, std::string second,
                   const std::string& second_name, const Table* training, const ReadOptions& options) {
  IdxArray images = parse_idx(std::move(first), first_name);
  IdxArray labels = parse_idx(std::move(second), second_name);
  if (images.sizes.size() == 1) std::swap(images, labels);
  check_roles(images, labels);

  table.format = Format::idx;
  table.rows = images.sizes[0];
  table.features = images.sizes[1] * (images.sizes.size() == 3 ? images.sizes[2] : 1);
  table.is_image = images.sizes.size() == 3;
  if (table.is_image) {
    table.image_height = images.sizes[1];
    table.image_width = images.sizes[2];
  }
  if (training != nullptr && (training->features != table.features || training->image_height != table.image_height)) {
    throw InvalidInput(
        fmt::format("{}: has {}, but the training data has {}", images.name, table.summary(), training->summary()));
  }
  read_pixels(table, images, options.max_bytes);
  if (training == nullptr) note_constant_pixels(table, images);

  TextCodes codes;
  std::map<std::int64_t, std::int32_t> code_of_label;
  table.labels.resize(table.rows);
  for (std::size_t i = 0; i < table.rows; ++i) {
    const std::int64_t label = label_at(labels, i);
    const auto [place, is_new] = code_of_label.try_emplace(label, 0);
    if (is_new) place->second = codes.code(fmt::format("{}", label));
    table.labels[i] = place->second;
  }
  number_classes(table, codes, training, options);
  table.source_lines.resize(table.rows);
  std::iota(table.source_lines.begin(), table.source_lines.end(), std::size_t{1});
}

}  // namespace bilevel::data
