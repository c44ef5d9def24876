#include "certificate_report.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace bilevel::cli {
namespace {

Certificate solved() {
  Certificate c;
  c.verdict = Verdict::local_solution;
  c.follower = FollowerKind::local_minimiser;
  c.kernel_dimension = 0;
  c.smallest_eigenvalue = 0.25;
  c.largest_eigenvalue = 4;
  c.leader_residual = 1e-9;
  c.leader_scale = 3;
  c.dense = true;
  c.reason = "y is a strict local minimiser";
  c.advice = "nothing needs doing";
  return c;
}

TEST(CertificateReport, ShowsVerdictNumbersAndAdvice) {
  const auto text = certificate_text(solved());
  for (const char* part : {"Certificate\n", "certified local bilevel solution", "local minimiser", "0.25", "4 = |H|",
                           "1e-09", "because  y is a strict local minimiser", "advice   nothing needs doing"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
  EXPECT_EQ(text.find("kernel"), std::string::npos) << text;
}

TEST(CertificateReport, ShowsTheKernelWhereThereIsOne) {
  auto c = solved();
  c.kernel_dimension = 2;
  c.selection_residual = 0.125;
  EXPECT_NE(certificate_text(c).find("0.125"), std::string::npos);
  c.kernel_dimension.reset();
  EXPECT_NE(certificate_text(c).find("not known"), std::string::npos);
}

TEST(CertificateReport, ShowsWhatIsKnownOfTheSelection) {
  auto c = solved();
  EXPECT_FALSE(certificate_json(c).contains("selection"));
  c.selection = CertifiedSelection{
      .kind = SelectionKind::selected, .reason = "f curves upwards", .curvature = 0.375, .pieces = 1};
  EXPECT_NE(certificate_text(c).find("selected answer"), std::string::npos);
  EXPECT_NE(certificate_text(c).find("0.375"), std::string::npos);
  EXPECT_EQ(certificate_text(c).find("one-sided"), std::string::npos);
  auto json = certificate_json(c)["selection"];
  EXPECT_EQ(json["curvature"], 0.375);
  EXPECT_TRUE(json["least_slope"].is_null());
  c.selection = CertifiedSelection{.kind = SelectionKind::kink, .pieces = 3, .least_slope = -0.75, .greatest_slope = 2};
  EXPECT_NE(certificate_text(c).find("-0.75"), std::string::npos);
  json = certificate_json(c)["selection"];
  EXPECT_EQ(json["kind"], "kink between answers");
  EXPECT_EQ(json["pieces"], 3);
  EXPECT_EQ(json["greatest_slope"], 2);
  EXPECT_TRUE(json["curvature"].is_null());
}

TEST(CertificateReport, WritesItsKeysInOrderAndNullForWhatIsNotKnown) {
  auto c = solved();
  c.leader_residual_error = std::numeric_limits<double>::infinity();
  const auto json = certificate_json(c);
  const std::vector<std::string> first{"verdict",
                                       "follower",
                                       "kernel_dimension",
                                       "follower_residual",
                                       "smallest_eigenvalue",
                                       "adjoint_residual",
                                       "selection_residual",
                                       "leader_residual",
                                       "leader_residual_error",
                                       "fake",
                                       "advice"};
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  ASSERT_GE(keys.size(), first.size());
  EXPECT_EQ(std::vector<std::string>(keys.begin(), keys.begin() + 11), first);
  EXPECT_EQ(json["verdict"], "certified local bilevel solution");
  EXPECT_EQ(json["kernel_dimension"], 0);
  EXPECT_TRUE(json["leader_residual_error"].is_null());
  EXPECT_TRUE(json["leader_curvature"].is_null());
}

}  // namespace
}  // namespace bilevel::cli
