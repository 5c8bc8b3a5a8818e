// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/refused_credentials.h"

#include <gtest/gtest.h>

namespace maia::engine {
namespace {

Error refused(std::string_view reason) {
  return {Error::Code::invalid_config, Recovery::halt, "password refused", "", reason};
}

TEST(RefusedCredentials, are_read_again_for_a_while_and_then_are_an_error) {
  RefusedCredentials credentials;
  Clock::Steady now{};
  const auto recovery = [&] { return credentials.taken(refused(RefusedCredentials::kReason), now).recovery; };
  EXPECT_EQ(recovery(), Recovery::reconnect);
  now += RefusedCredentials::kPatience - std::chrono::seconds(1);
  EXPECT_EQ(recovery(), Recovery::reconnect);
  now += std::chrono::seconds(1);
  EXPECT_EQ(recovery(), Recovery::halt);
  credentials.accepted();
  EXPECT_EQ(recovery(), Recovery::reconnect);
}

TEST(RefusedCredentials, other_errors_are_what_they_are) {
  const auto error = RefusedCredentials().taken(refused("slot_dropped"), {});
  EXPECT_EQ(error.recovery, Recovery::halt);
  EXPECT_EQ(error.message, "password refused");
}

}  // namespace
}  // namespace maia::engine
