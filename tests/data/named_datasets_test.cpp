#include <cstdlib>

#include "bilevel/text.hpp"
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

TEST_F(NamedDatasets, FindsTheMailCorpus) {
  for (const std::string part : {"easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"}) {
    std::filesystem::create_directories(path("spam-assassin/" + part));
    file("spam-assassin/" + part + "/1.txt", "From: x\nTo: y\n\n" + part);
  }
  std::string all;
  for (const auto& [name, spec] : spam_assassin_sources()) all += (all.empty() ? "" : ",") + spec;
  const Table t = read_text(all);
  EXPECT_EQ(t.class_names, (std::vector<std::string>{"ham", "spam"}));
  EXPECT_EQ(t.labels, (std::vector<std::int32_t>{0, 0, 0, 1, 1}));
  std::filesystem::remove_all(path("spam-assassin/spam-1"));
  expect_error([] { spam_assassin_sources(); }, {"spam-assassin/spam-1 is missing", "./dev data spam-assassin"});
}

TEST_F(NamedDatasets, TheMailCorpusBelowBuildIsFoundToo) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(path(""));
  expect_error([] { spam_assassin_sources(); }, {"easy-ham-1 is missing", "'./dev data spam-assassin'"});
  for (const std::string part : {"easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"}) {
    std::filesystem::create_directories("build/datasets/spam-assassin/" + part);
  }
  EXPECT_EQ(spam_assassin_sources().at(3).second, "spam:build/datasets/spam-assassin/spam-1");
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace bilevel::data
