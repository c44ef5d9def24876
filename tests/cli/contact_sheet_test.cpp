// The contact sheet: where each pixel goes.
#include "pictures/contact_sheet.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "bilevel/status.hpp"
#include "cli/picture_probes.hpp"
#include "message_of.hpp"

namespace bilevel::cli {
namespace {

using bilevel::testing::message_of;

/// Images of 1 x 2 pixels: two of class 0, one of class 2.
ContactSheet small_sheet() {
  ContactSheet sheet{.title = "it's small",
                     .images = bilevel::Table(3, 2),
                     .labels = {0, 0, 2},
                     .class_names = {"coats", "hats", "boots"},
                     .height = 1,
                     .width = 2};
  sheet.images << 10, 30, 7, 7, 4, 2;
  return sheet;
}

TEST(ContactSheet, PutsEachImageInItsClassesRow) {
  const auto script = contact_sheet_script(small_sheet());
  const auto rows = rows_of(script, "sheet");
  // Each image between its own extremes, one without any in grey; two pixels of paper (1) around.
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[0], (std::vector<double>{0, 1, 1, 1, 0.5, 0.5, 1, 1}));
  EXPECT_EQ(rows[1], (std::vector<double>(8, 1)));
  EXPECT_EQ(rows[3], (std::vector<double>{1, 0, 1, 1, 1, 1, 1, 1}));
  EXPECT_NE(script.commands.find("'coats' 0.5, 'boots' 3.5"), std::string::npos) << script.commands;
  EXPECT_EQ(script.commands.find("hats"), std::string::npos);
  expect_drawn(script);
}

TEST(ContactSheet, ShowsTheFirstFortyOfAClassAndSurvivesWhatIsNotFinite) {
  ContactSheet sheet{.title = "many",
                     .images = bilevel::Table::Constant(50, 4, std::numeric_limits<double>::quiet_NaN()),
                     .labels = std::vector<std::int32_t>(50, 1),
                     .class_names = {},
                     .height = 2,
                     .width = 2};
  const auto script = contact_sheet_script(sheet);
  EXPECT_EQ(rows_of(script, "sheet")[0].size(), 40u * 4u);
  expect_drawn(script);
}

TEST(ContactSheet, RefusesSizesThatDoNotFit) {
  auto sheet = small_sheet();
  sheet.height = 2;
  EXPECT_EQ(message_of<InvalidInput>([&] { contact_sheet_script(sheet); }),
            "a contact sheet needs images of 2 x 2 pixels with a label each, but got 3 x 2 and 3 labels");
}

}  // namespace
}  // namespace bilevel::cli
