// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source_config.h"

#include <gtest/gtest.h>

namespace maia::postgres {
namespace {

TEST(NameForPipelineTest, two_pipelines_never_share_a_name_and_every_name_is_a_slot_name) {
  EXPECT_EQ(name_for_pipeline("shop"), "maia_shop");
  const auto upper = name_for_pipeline("Shop");
  EXPECT_TRUE(upper.starts_with("maia__hop_")) << upper;
  EXPECT_NE(name_for_pipeline("a-b"), name_for_pipeline("a.b"));
  const auto lengthy = name_for_pipeline(std::string(100, 'x'));
  EXPECT_EQ(lengthy.size(), 63u);
  EXPECT_NE(lengthy, name_for_pipeline(std::string(101, 'x')));
}

}  // namespace
}  // namespace maia::postgres
