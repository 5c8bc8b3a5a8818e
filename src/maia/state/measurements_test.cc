// SPDX-License-Identifier: Apache-2.0
#include "maia/state/measurements.h"

#include <gtest/gtest.h>

#include "maia/testing/temporary_directory.h"

namespace maia {
namespace {

TEST(Measurements, the_last_rate_of_each_destination_is_kept) {
  const auto directory = testing::TemporaryDirectory::make().value();
  const auto path = directory / "maia.sqlite";
  {
    auto measurements = Measurements::open(path).value();
    EXPECT_FALSE(measurements->copy_rate("lake").value());
    ASSERT_TRUE(measurements->set_copy_rate("lake", 1000).ok());
    ASSERT_TRUE(measurements->set_copy_rate("lake", 2000).ok());
  }
  auto measurements = Measurements::open(path).value();
  EXPECT_EQ(measurements->copy_rate("lake").value(), 2000);
  EXPECT_FALSE(measurements->copy_rate("mart").value());
}

}  // namespace
}  // namespace maia
