// Training data: reading tables with their labels, scaling, splitting, corrupting labels for experiments, writing back.
//
// Three file formats are read, each plain or gzip-compressed and recognised by its content:
//   IDX pair  "images.idx.gz,labels.idx.gz"  unsigned byte images (2 or 3 dimensions) and integer labels (1 dimension)
//   CSV       "people.csv"                   separator , ; or tab; RFC 4180 quotes; text columns are one-hot encoded,
//                                            and kept sparse where that saves much of more than 64 MiB
//   LIBSVM    "a.libsvm"                     lines "label index:value ..." with increasing indices from 1; stays
//   sparse,
//                                            and indices that no line has are no features
//
// Folders and CSV files of texts are read by text.hpp.
//
// What cannot be read throws InvalidInput with the file, the line and the column in its message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel::data {

// ---------------------------------------------------------------------------------------------------------- tables

enum class Format { idx, csv, libsvm, text };

/// One column of a CSV file and how it became features. Kept by the training table, so that validation and test files
/// get the same features in the same order.
struct Column {
  enum class Kind { numeric, categorical, text, label, dropped };
  std::string name;                     ///< from the header, or "column3" (1-based) without one
  Kind kind = Kind::numeric;            ///< text: the documents of a table of Format::text
  std::vector<std::string> categories;  ///< sorted; one feature each (categorical columns only)
  std::size_t first_feature = 0;        ///< index of the column's first feature (numeric and categorical columns only)
};

/// Features and labels as read: N rows, d features, C classes. Either `dense` or the three sparse arrays are filled.
struct Table {
  std::size_t rows = 0;
  std::size_t features = 0;
  std::size_t classes = 0;

  bool sparse = false;
  std::vector<float> dense;             ///< N x d, row-major; not scaled (pixels are 0..255)
  std::vector<std::uint32_t> columns;   ///< compressed rows: 0-based feature of each stored value, increasing in a row
  std::vector<std::size_t> row_starts;  ///< N + 1 offsets into `columns` and `values`
  std::vector<float> values;            ///< stored values

  std::vector<std::int32_t> labels;      ///< N class numbers in 0..C-1
  std::vector<std::string> class_names;  ///< C names to show
  std::vector<std::string> class_keys;   ///< C labels as the file spells them; numbers in ascending order, else sorted
  std::vector<std::string> feature_names;  ///< d names for CSV ("age", "colour=red"); empty for the other formats
  /// LIBSVM: d ascending 1-based indices, those that the file has values for; empty if it has values for all up to d.
  std::vector<std::uint32_t> column_numbers;

  Format format = Format::csv;
  std::string source;     ///< the specification as the user gave it
  bool is_image = false;  ///< three-dimensional IDX
  std::size_t image_height = 0;
  std::size_t image_width = 0;
  std::vector<std::string> notes;         ///< sentences to tell the user: encoded categories, constant columns, ...
  std::vector<std::size_t> source_lines;  ///< N 1-based numbers: first line of each record, or of image or document
  std::vector<Column> encoding;           ///< CSV, also of texts: one entry a column of the training file
  bool has_header = false;                ///< CSV: the first record holds column names
  char separator = ',';                   ///< CSV
  std::size_t source_bytes = 0;           ///< CSV, LIBSVM: uncompressed size ...
  std::uint32_t source_checksum = 0;      ///< ... and CRC-32, to notice that the file has changed before it is copied;
                                          ///< folders of texts: CRC-32 of the names of the documents

  /// Name of feature j (0-based): from the header, "pixel (row, column)", or "feature 7" or "word bucket 7" (1-based).
  std::string feature_name(std::size_t feature) const;

  /// "60000 rows, 784 features (28 x 28 images), 10 classes".
  std::string summary() const;
};

enum class Header { automatic, yes, no };

struct ReadOptions {
  /// CSV label column: a name, a 1-based number, or "last". Empty: the column named label, class, target or y, else the
  /// last one (and a note).
  std::string label = {};
  /// CSV: whether the first record holds column names. Automatic: no field of it is a number or a missing
  /// value; in a file of text only, none of its fields occurs again in its column (and a note says which it was).
  Header header = Header::automatic;
  /// CSV: ',' ';' or '\t'; 0 detects it.
  char separator = '\0';
  /// CSV columns to leave out, by name or 1-based number.
  std::vector<std::string> drop = {};
  /// CSV: keep features that have one value in all training rows. They carry no information; standardizing makes them
  /// 0.
  bool keep_constant_columns = true;
  /// LIBSVM: keep the indices that no row has as features of zeros, for a table that rows of other files are appended
  /// to.
  bool keep_unused_columns = false;
  /// CSV fields (compared without regard to case) that mean "no value".
  std::vector<std::string> missing = {"", "NA", "NaN", "?", "null"};
  /// Names to show instead of the labels found in the file, in the order of `Table::class_keys`.
  std::vector<std::string> class_names = {};
  /// Largest accepted uncompressed file, in bytes, and most that is held at once while it is read: a CSV file with its
  /// numbers and categories and the features made of them.
  std::size_t max_bytes = std::size_t{8} << 30;
};

/// Reads training data and decides how it is encoded. `spec` is a file, or "images,labels" for an IDX pair (in either
/// order). Throws InvalidInput for content that cannot be used, InvalidOption for bad options.
Table read_table(std::string_view spec, const ReadOptions& options = {});

/// Reads validation or test data with the encoding, features and classes of `training`. CSV columns are matched by name
/// if both files have headers, else by position. A category that training lacks becomes all zeros, with a note; so does
/// a LIBSVM index that training has no value for, but one above all of them is an InvalidInput; a class
/// that training lacks is an InvalidInput. `options.label`, `drop` and `class_names` are taken from `training`.
Table read_table_like(std::string_view spec, const Table& training, const ReadOptions& options = {});

/// Reads labels that stand in a file of their own, such as the true labels of `training` (the table as read, before any
/// row is taken away). Returns one class number a row, -1 where the label is not known.
///   IDX    one dimension; -1 is "not known" unless it is a class
///   text   one label a line, or a CSV file, plain or gzip; a blank field or one of options.missing is "not known"
/// The label column of a CSV file with several: options.label, else the one named like the training label, label,
/// class, target or y, else the last. The first line holds names if options.header says so; automatic: if it is no
/// class, and is one of these names or one more than training has rows. Throws InvalidInput for a label that training
/// lacks. The number of labels may differ from training.rows: that is the caller's to check.
std::vector<std::int32_t> read_labels(std::string_view spec, const Table& training, const ReadOptions& options = {});

// --------------------------------------------------------------------------------------------------------- scaling

/// automatic (text "auto"): `standardize`, also for images: it conditions a linear model on pixels three times better
/// than a division by 255 does. But `none` for Format::text, whose rows have norm 1: standardizing would let the rarest
/// words outweigh all others.
enum class Scaling { automatic, standardize, unit, none };

std::string_view to_string(Scaling scaling);
/// Throws InvalidOption that lists the names.
Scaling parse_scaling(std::string_view name);

/// The map x_j -> (x_j - mean_j) * scale_j.
///   standardize  mean and 1 / standard deviation (over N, not N - 1) of the fitted rows; scale 0 for a constant
///   feature unit         mean 0 and 1/255 for IDX, else 1 / max |x_j| (1 where that is 0)
/// Sparse tables are not centred (mean 0), so that they stay sparse; `notes` says so.
struct Standardizer {
  Scaling scaling = Scaling::none;  ///< what is applied: never `automatic`
  std::vector<double> mean;         ///< d entries; empty for `none`
  std::vector<double> scale;        ///< d entries; empty for `none`
  std::vector<std::string> notes;

  /// Scales in place. Throws DimensionMismatch if the number of features differs.
  void apply(Table& table) const;
};

/// Fits on the given rows only, so that validation and test rows do not leak into the scale. No rows is an
/// InvalidInput.
Standardizer fit_standardizer(const Table& table, std::span<const std::uint32_t> rows, Scaling scaling);
/// Fits on all rows.
Standardizer fit_standardizer(const Table& table, Scaling scaling);

// ---------------------------------------------------------------------------------------------------------- splits

/// The rows with the given 0-based indices, in that order, with everything else unchanged. Throws DimensionMismatch if
/// an index is out of range.
Table subset(const Table& table, std::span<const std::uint32_t> rows);

/// Takes from a LIBSVM table that was read with keep_unused_columns the columns that hold nothing. Returns a note that
/// says so, or "" if there are none.
std::string drop_unused_columns(Table& table);

/// The same without the features: labels, names, and where each row came from. `features` keeps their number.
Table subset_without_features(const Table& table, std::span<const std::uint32_t> rows);

/// Two disjoint lists of 0-based rows, each ascending, that together hold every row.
struct Split {
  std::vector<std::uint32_t> train;
  std::vector<std::uint32_t> held_out;
};

/// Holds out exactly `count` rows, drawn with the seed, with each class in proportion (largest remainders); a class
/// keeps at least one training row wherever `count` allows it. Throws InvalidOption unless 0 < count < rows,
/// InvalidInput for a label below 0.
Split hold_out_count(std::span<const std::int32_t> labels, std::size_t count, std::uint64_t seed);

/// The same with round(fraction * rows) rows, at least 1. Throws InvalidOption unless 0 < fraction < 1.
Split hold_out_fraction(std::span<const std::int32_t> labels, double fraction, std::uint64_t seed);

// ------------------------------------------------------------------------------------------------- label corruption

/// uniform: a class drawn uniformly from the others; pairwise: class c becomes (c + 1) mod C.
enum class Corruption { uniform, pairwise };

std::string_view to_string(Corruption corruption);
/// Throws InvalidOption that lists the names.
Corruption parse_corruption(std::string_view name);

struct CorruptedLabels {
  std::vector<std::int32_t> labels;    ///< N class numbers
  std::vector<std::uint8_t> is_wrong;  ///< N flags: 1 where the label was changed
};

/// Makes exactly round(fraction * N) labels wrong, at rows drawn with the seed; a changed label is never the true one,
/// so a perfect cleaner can score 1. Throws InvalidOption unless fraction is in [0, 1], or if classes < 2 and a label
/// has to change.
CorruptedLabels corrupt_labels(std::span<const std::int32_t> labels, std::size_t classes, double fraction,
                               Corruption corruption, std::uint64_t seed);

// -------------------------------------------------------------------------------------------------- named data sets

/// A data set that a system package installs.
struct NamedDataset {
  std::string name;
  std::string train;                     ///< specification for read_table
  std::string test;                      ///< specification for read_table_like
  std::vector<std::string> class_names;  ///< for ReadOptions::class_names
};

/// All names that named_dataset knows.
std::vector<std::string> dataset_names();

/// Finds the files of a data set: "fashion-mnist" (Debian package dataset-fashion-mnist) in
/// /usr/share/datasets/fashion-mnist; the environment variable BILEVEL_DATA_DIR replaces /usr/share/datasets. Throws
/// InvalidInput that says how to install it, or that the name is unknown and which one is nearest.
NamedDataset named_dataset(std::string_view name);

// --------------------------------------------------------------------------------------------------------- writing

/// Writes the rows of `table` whose `keep` flag is not 0, in the order of the file they were read from.
///   CSV     the header and the original text of each kept record, byte for byte
///   LIBSVM  the original lines
///   IDX     a CSV with the header "index,label": 0-based position in the IDX files, and the label in `table` as the
///           label file spells it
///   text    of a CSV file: as CSV; of folders: a CSV with the header "file,label"
/// `table` is what read_table returned or a subset of it. CSV and LIBSVM files are read again and folders
/// listed again; InvalidInput if they have changed or if the output is the input. The output appears complete or not at
/// all (temporary file, then rename). Returns the number of records written.
std::size_t write_cleaned_csv(const std::filesystem::path& output, const Table& table,
                              std::span<const std::uint8_t> keep);

}  // namespace bilevel::data
