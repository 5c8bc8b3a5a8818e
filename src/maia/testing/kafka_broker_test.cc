// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/kafka_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/testing/kafka_session.h"

namespace maia::testing {
namespace {

class KafkaBrokers : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Versions, KafkaBrokers, ::testing::Values("3.9.1", "4.1.1"), [](const auto& each) {
  std::string name = each.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

TEST_P(KafkaBrokers, keep_what_was_acknowledged_when_they_are_killed) {
  auto broker = KafkaBroker::start({.version = GetParam(), .settings = {}});
  ASSERT_TRUE(broker.ok()) << broker.error().message;
  const KafkaSession session((*broker)->address());
  ASSERT_TRUE(session.make_topic("t", 2).ok());
  const auto written =
      session.append("t", {{.partition = 1, .key = "k", .value = "v", .headers = {{"h", "x"}}},
                           {.partition = 0, .key = "k", .value = std::nullopt}});
  ASSERT_TRUE(written.ok()) << written.error().message;
  (*broker)->kill9();
  EXPECT_FALSE((*broker)->running());
  const auto again = (*broker)->restart();
  ASSERT_TRUE(again.ok()) << again.error().message;
  const auto records = session.committed("t");
  ASSERT_TRUE(records.ok()) << records.error().message;
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ((*records)[0].value, std::nullopt);
  EXPECT_EQ((*records)[1].value, "v");
  EXPECT_EQ((*records)[1].header("h"), "x");
}

}  // namespace
}  // namespace maia::testing
