// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/mailbox.h"

#include <gtest/gtest.h>

namespace maia::engine {
namespace {

TEST(Mailbox, work_is_done_in_order_when_the_task_serves_it) {
  Mailbox mailbox;
  std::string done;
  auto first = mailbox.post([&]() -> Result<std::string> { return done += "1"; });
  auto second = mailbox.post([&]() -> Result<std::string> {
    return Error{Error::Code::invalid_config, Recovery::halt, "no such table", ""};
  });
  EXPECT_TRUE(mailbox.waiting());
  EXPECT_EQ(done, "");
  mailbox.serve();
  EXPECT_FALSE(mailbox.waiting());
  EXPECT_EQ(first.get().value(), "1");
  EXPECT_EQ(second.get().error().message, "no such table");
}

TEST(Mailbox, a_task_that_has_ended_answers_at_once) {
  Mailbox mailbox;
  auto before = mailbox.post([]() -> Result<std::string> { return std::string(); });
  mailbox.close();
  auto after = mailbox.post([]() -> Result<std::string> { return std::string(); });
  EXPECT_EQ(before.get().error().code, Error::Code::cancelled);
  EXPECT_EQ(after.get().error().code, Error::Code::cancelled);
}

}  // namespace
}  // namespace maia::engine
