#include "data/files.hpp"

namespace bilevel::data {
namespace {

class Idx : public DataTest {
 protected:
  const std::string images_ = idx(8, {3, 1, 2}, {0, 255, 10, 20, 30, 255});
  const std::string labels_ = idx(8, {3}, {7, 2, 7});

  std::string pair(const std::string& images, const std::string& labels) const {
    return file("images", images) + "," + file("labels", labels);
  }
  void rejects(const std::string& images, const std::string& labels,
               std::initializer_list<std::string_view> parts) const {
    const auto spec = pair(images, labels);
    expect_error([&] { read_table(spec); }, parts);
  }
};

TEST_F(Idx, ReadsImagesAndLabels) {
  for (const bool compressed : {false, true}) {
    const auto spec = compressed ? pair(gzip(images_), gzip(labels_)) : pair(images_, labels_);
    const Table t = read_table(spec);
    EXPECT_EQ(t.dense, (std::vector<float>{0, 255, 10, 20, 30, 255}));
    EXPECT_EQ(t.labels, (std::vector<std::int32_t>{1, 0, 1}));
    EXPECT_EQ(t.class_names, (std::vector<std::string>{"2", "7"}));
    EXPECT_EQ(t.format, Format::idx);
    EXPECT_TRUE(t.is_image);
    EXPECT_EQ(t.summary(), "3 rows, 2 features (1 x 2 images), 2 classes");
    EXPECT_EQ(t.feature_name(1), "pixel (0, 1)");
  }
}

TEST_F(Idx, OrderOfTheFilesDoesNotMatter) { EXPECT_EQ(read_table(pair(labels_, images_)).rows, 3U); }

TEST_F(Idx, LabelsMayBeWiderIntegers) {
  EXPECT_EQ(read_table(pair(images_, idx(9, {3}, {0xFF, 1, 1}))).class_names, (std::vector<std::string>{"-1", "1"}));
  EXPECT_EQ(read_table(pair(images_, idx(0xB, {3}, {1, 0, 0xFF, 0xFE, 1, 0}))).class_names,
            (std::vector<std::string>{"-2", "256"}));
  EXPECT_EQ(read_table(pair(images_, idx(0xC, {3}, {0, 1, 0, 0, 0, 0, 0, 5, 0, 0, 0, 5}))).class_names,
            (std::vector<std::string>{"5", "65536"}));
}

TEST_F(Idx, TwoDimensionsAreRowsOfBytes) {
  const Table t = read_table(pair(idx(8, {3, 2}, {1, 2, 3, 4, 5, 6}), labels_));
  EXPECT_FALSE(t.is_image);
  EXPECT_EQ(t.features, 2U);
}

TEST_F(Idx, TellsOfConstantPixels) {
  EXPECT_TRUE(
      has_note(read_table(pair(idx(8, {3, 1, 2}, {9, 1, 9, 2, 9, 3}), labels_)), "1 of 2 pixels have one value"));
}

TEST_F(Idx, TestDataKeepsTheClassesOfTraining) {
  const Table training = read_table(pair(images_, labels_));
  EXPECT_EQ(read_table_like(pair(idx(8, {1, 1, 2}, {1, 2}), idx(8, {1}, {7})), training).labels,
            (std::vector<std::int32_t>{1}));
  const auto unknown = pair(idx(8, {1, 1, 2}, {1, 2}), idx(8, {1}, {3}));
  expect_error([&] { read_table_like(unknown, training); }, {"the label '3' in 1 row", "are '2', '7'"});
  const auto larger = pair(idx(8, {1, 1, 3}, {1, 2, 3}), idx(8, {1}, {7}));
  expect_error([&] { read_table_like(larger, training); },
               {"(1 x 3 images)", "the training data has", "(1 x 2 images)"});
}

TEST_F(Idx, Truncated) {
  rejects(images_.substr(0, 19), labels_, {"images", "promises 3 x 1 x 2 values", "6 bytes after byte 16", "only 3"});
  rejects(images_, labels_.substr(0, 10), {"labels", "promises 3 values", "only 2"});
  rejects(images_.substr(0, 9), labels_, {"breaks off in the header: 9 of 16 bytes"});
  rejects("ab", labels_, {"holds 2 bytes, too few"});
}

TEST_F(Idx, TrailingBytes) { rejects(images_ + "xy", labels_, {"which end at byte 22, but 2 bytes follow"}); }

TEST_F(Idx, WrongMagic) {
  rejects("PNG image", labels_, {"images", "starts with the bytes 50 4e 47 20", "not the header of an IDX file"});
}

TEST_F(Idx, DifferentCounts) {
  rejects(images_, idx(8, {2}, {1, 2}), {"images holds 3 images", "labels holds 2 labels"});
}

TEST_F(Idx, HugeSizesAreNotAllocated) {
  rejects(idx(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {1}), labels_, {"more than 2^64", "only 1"});
  rejects(idx(8, {0xFFFFFFFF, 28, 28}, {1}), labels_, {"3367254359280 bytes", "only 1"});
}

TEST_F(Idx, NothingInside) { rejects(idx(8, {0, 1, 2}, {}), labels_, {"shape 0 x 1 x 2, so it holds nothing"}); }

TEST_F(Idx, WrongRoles) {
  rejects(images_, images_, {"an IDX pair is one file of images"});
  rejects(labels_, labels_, {"an IDX pair is one file of images"});
  rejects(idx(8, {1, 1, 1, 1}, {1}), idx(8, {1}, {1}), {"has 4 dimensions"});
  rejects(idx(0xC, {1, 1, 1}, {0, 0, 0, 1}), idx(8, {1}, {1}), {"type 0c; images must be unsigned bytes"});
  rejects(idx(8, {1, 1, 1}, {1}), idx(0xD, {1}, {0, 0, 0, 1}), {"type 0d; labels must be integers"});
}

TEST_F(Idx, ImagesWithoutLabels) {
  const auto alone = file("images", images_);
  expect_error([&] { read_table(alone); }, {"given together as 'images,labels'"});
}

TEST_F(Idx, OneClass) { rejects(images_, idx(8, {3}, {4, 4, 4}), {"all 3 rows have the label '4'"}); }

TEST_F(Idx, TooLarge) {
  const auto spec = pair(images_, labels_);
  expect_error([&] { read_table(spec, {.max_bytes = 23}); }, {"6 pixels need 24 bytes, more than the allowed 23"});
}

}  // namespace
}  // namespace bilevel::data
