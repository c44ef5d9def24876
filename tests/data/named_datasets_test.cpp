#include <cstdlib>

#include "data/files.hpp"

namespace bilevel::data {
namespace {

class NamedDatasets : public DataTest {
 protected:
  NamedDatasets() {
    std::filesystem::create_directories(path("fashion-mnist"));
    setenv("BILEVEL_DATA_DIR", path("").c_str(), 1);
  }
  ~NamedDatasets() override { unsetenv("BILEVEL_DATA_DIR"); }
};

TEST_F(NamedDatasets, FindsFashionMnist) {
  std::vector<int> classes;
  for (int c = 0; c < 10; ++c) classes.push_back(c);
  const auto images = idx(8, {10, 1, 1}, classes);
  const auto labels = idx(8, {10}, classes);
  file("fashion-mnist/train-images-idx3-ubyte.gz", gzip(images));
  file("fashion-mnist/train-labels-idx1-ubyte.gz", gzip(labels));
  file("fashion-mnist/t10k-images-idx3-ubyte", images);
  file("fashion-mnist/t10k-labels-idx1-ubyte", labels);
  const NamedDataset set = named_dataset("fashion-mnist");
  const Table t = read_table(set.train, {.class_names = set.class_names});
  EXPECT_EQ(t.class_names[9], "Ankle boot");
  EXPECT_EQ(t.class_keys[9], "9");
  EXPECT_EQ(read_table_like(set.test, t).labels, t.labels);
}

TEST_F(NamedDatasets, SaysHowToInstall) {
  expect_error([] { named_dataset("fashion-mnist"); },
               {"train-images-idx3-ubyte.gz is missing", "apt-get install dataset-fashion-mnist", "BILEVEL_DATA_DIR"});
}

TEST_F(NamedDatasets, UnknownName) {
  expect_error([] { named_dataset("fashion-minst"); }, {"'fashion-minst' is unknown (nearest: 'fashion-mnist')"});
}

}  // namespace
}  // namespace bilevel::data
