#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"
#include "bilevel/text.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

constexpr std::string_view kFashionMnist = "fashion-mnist";
constexpr std::string_view kSpamAssassin = "spam-assassin";

constexpr std::string_view kSystemRoot = "/usr/share/datasets";
constexpr std::string_view kBuildRoot = "build/datasets";  // of ./dev data

// Empty if none was chosen.
std::filesystem::path chosen_root() {
  const char* const chosen = std::getenv("BILEVEL_DATA_DIR");
  return chosen != nullptr ? chosen : "";
}

// "images,labels", each compressed or not.
std::string idx_pair(const std::filesystem::path& folder, const std::string& images, const std::string& labels) {
  const auto find = [&](const std::string& file) {
    std::error_code ignored;
    for (const auto& name : {file + ".gz", file}) {
      if (std::filesystem::exists(folder / name, ignored)) return (folder / name).string();
    }
    throw InvalidInput(
        fmt::format("the data set {} is not installed: {} is missing; run 'apt-get install dataset-fashion-mnist', or "
                    "set BILEVEL_DATA_DIR to the folder that contains '{}'",
                    kFashionMnist, (folder / (file + ".gz")).string(), kFashionMnist));
  };
  const std::string images_path = find(images);
  return images_path + "," + find(labels);
}

}  // namespace

std::vector<std::string> dataset_names() { return {std::string(kFashionMnist)}; }

NamedDataset named_dataset(std::string_view name) {
  if (name != kFashionMnist) {
    throw InvalidInput(fmt::format("the data set {} is unknown{}; known: {}", in_quotes(name),
                                   nearest_hint(name, dataset_names()), list_in_quotes(dataset_names())));
  }
  const auto root = chosen_root();
  const auto folder = (root.empty() ? std::filesystem::path(kSystemRoot) : root) / kFashionMnist;
  return {.name = std::string(name),
          .train = idx_pair(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          .test = idx_pair(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
          .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                          "Ankle boot"}};
}

std::vector<std::pair<std::string, std::string>> spam_assassin_sources() {
  std::vector<std::filesystem::path> roots = {kBuildRoot, kSystemRoot};
  if (!chosen_root().empty()) roots.insert(roots.begin(), chosen_root());
  std::error_code ignored;
  const auto has_corpus = [&](const auto& root) {
    return std::filesystem::is_directory(root / kSpamAssassin, ignored);
  };
  const auto root = std::find_if(roots.begin(), roots.end(), has_corpus);
  const auto folder = (root != roots.end() ? *root : roots.front()) / kSpamAssassin;
  std::vector<std::pair<std::string, std::string>> sources;
  for (const std::string part : {"easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"}) {
    if (!std::filesystem::is_directory(folder / part, ignored)) {
      throw InvalidInput(
          fmt::format("the mail corpus {} is not installed: the folder {} is missing; run './dev data {}', or set "
                      "BILEVEL_DATA_DIR to the folder that contains '{}'",
                      kSpamAssassin, (folder / part).string(), kSpamAssassin, kSpamAssassin));
    }
    const std::string_view class_name = part.starts_with("spam") ? "spam" : "ham";
    sources.emplace_back(part, fmt::format("{}:{}", class_name, (folder / part).string()));
  }
  return sources;
}

}  // namespace bilevel::data
