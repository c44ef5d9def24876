// Damaged files are read or rejected with InvalidInput: never anything else.
#include <cmath>
#include <limits>

#include "bilevel/random.hpp"
#include "data/csv_table.hpp"
#include "data/files.hpp"
#include "data/gzip_file.hpp"
#include "data/idx.hpp"
#include "data/libsvm.hpp"

namespace bilevel::data {
namespace {

constexpr int kTrials = 4000;

// One to four random changes: flip a bit, replace a byte by one that matters to a format, insert, erase, cut off.
std::string damage(std::string bytes, Random& random) {
  constexpr std::string_view kTelling = "\",;\t\r\n:#. -+e0919naN\0\xFF\x1f\x8b";
  const auto changes = 1 + random.below(4);
  for (std::uint64_t i = 0; i < changes && !bytes.empty(); ++i) {
    const auto at = random.below(bytes.size());
    const char telling = kTelling[random.below(kTelling.size())];
    switch (random.below(6)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U << random.below(8))); break;
      case 1: bytes[at] = telling; break;
      case 2: bytes.insert(at, 1, telling); break;
      case 3: bytes.erase(at, 1 + random.below(4)); break;
      case 4: bytes.insert(at, bytes.substr(at, random.below(20))); break;
      default: bytes.resize(at); break;
    }
  }
  return bytes;
}

class Robustness : public DataTest {
 protected:
  // Checks a read of damaged content; returns whether it was readable.
  template <typename Read>
  static bool survives(Read read, const std::string& bytes) {
    try {
      const Table t = read();
      EXPECT_EQ(t.labels.size(), t.rows);
      EXPECT_EQ(t.source_lines.size(), t.rows);
      EXPECT_EQ(t.sparse ? t.row_starts.size() - 1 : t.dense.size() / t.features, t.rows);
      for (const std::int32_t label : t.labels) EXPECT_LT(static_cast<std::size_t>(label), t.classes);
      for (const float value : t.dense) EXPECT_LE(std::abs(value), std::numeric_limits<float>::max());
      for (const std::uint32_t column : t.columns) EXPECT_LT(column, t.features);
      return true;
    } catch (const InvalidInput&) {
      return false;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << " for " << testing::PrintToString(bytes);
      return false;
    }
  }

  // Damages `whole` many times and reads it with read(bytes, training), as training data and like the undamaged.
  template <typename Read>
  static void damage_many(const std::string& whole, int trials, Read read) {
    const Table training = read(whole, nullptr);
    Random random(20240607);
    int readable = 0;
    for (int trial = 0; trial < trials; ++trial) {
      const std::string bytes = damage(whole, random);
      readable += survives([&] { return read(bytes, nullptr); }, bytes) ? 1 : 0;
      survives([&] { return read(bytes, &training); }, bytes);
    }
    EXPECT_GT(readable, 0);
    EXPECT_LT(readable, trials);
  }

  // The whole way, with recognition of the format; fewer trials, since files are slow.
  void damage_files(const std::string& name, const std::string& whole) const {
    constexpr int kFiles = 60;
    damage_many(whole, kFiles, [&](const std::string& bytes, const Table* training) {
      const std::string spec = file(name, bytes);
      return training == nullptr ? read_table(spec) : read_table_like(spec, *training);
    });
  }
};

const std::string kCsv =
    "age,job,\"note, more\",label\n31,cook,1.5e-3,yes\n42,\"a \"\"b\"\"\",-7,no\r\n53,cook,0.25,yes\n"
    "64,\"two\nlines\",12,no\n25,cook,+3,yes\n36,a,4,no\n";
const std::string kLibsvm = "+1 1:0.5 3:-2 9:1e2 # tail\n-1 2:1\n\n+1 10:3.25\n-1\n2 1:1 2:2\n";
const std::string kImages = idx(8, {4, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
const std::string kLabels = idx(8, {4}, {0, 1, 0, 1});

TEST_F(Robustness, Csv) {
  damage_many(kCsv, kTrials, [](const std::string& bytes, const Table* training) {
    Table t;
    read_csv(t, bytes, "damaged", training, {});
    return t;
  });
}

TEST_F(Robustness, Libsvm) {
  damage_many(kLibsvm, kTrials, [](const std::string& bytes, const Table* training) {
    Table t;
    read_libsvm(t, bytes, "damaged", training, {});
    return t;
  });
}

TEST_F(Robustness, IdxImages) {
  damage_many(kImages, kTrials, [](const std::string& bytes, const Table* training) {
    Table t;
    read_idx_pair(t, bytes, "images", kLabels, "labels", training, {});
    return t;
  });
}

TEST_F(Robustness, IdxLabels) {
  damage_many(kLabels, kTrials, [](const std::string& bytes, const Table* training) {
    Table t;
    read_idx_pair(t, kImages, "images", bytes, "labels", training, {});
    return t;
  });
}

TEST_F(Robustness, Gzip) {
  const std::string whole = gzip(kCsv);
  Random random(20240608);
  for (int trial = 0; trial < kTrials; ++trial) {
    try {
      decompress_gzip(damage(whole, random), "damaged", 100000);
    } catch (const InvalidInput&) {
    }
  }
}

TEST_F(Robustness, CsvFiles) { damage_files("a.csv", kCsv); }
TEST_F(Robustness, LibsvmFiles) { damage_files("a.svm", kLibsvm); }
TEST_F(Robustness, GzipFiles) {
  // Nearly all damage to compressed data is noticed, so content is damaged before it is compressed.
  damage_many(kCsv, 60, [&](const std::string& bytes, const Table* training) {
    const std::string spec = file("a.csv.gz", gzip(bytes));
    return training == nullptr ? read_table(spec) : read_table_like(spec, *training);
  });
}

}  // namespace
}  // namespace bilevel::data
