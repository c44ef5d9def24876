#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

constexpr std::string_view kFashionMnist = "fashion-mnist";

std::filesystem::path data_root() {
  const char* const chosen = std::getenv("BILEVEL_DATA_DIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/usr/share/datasets";
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
  const auto folder = data_root() / kFashionMnist;
  return {.name = std::string(name),
          .train = idx_pair(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          .test = idx_pair(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
          .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                          "Ankle boot"}};
}

}  // namespace bilevel::data
