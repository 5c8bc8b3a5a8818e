// SPDX-License-Identifier: Apache-2.0
#include "maia/app/control_request.h"

#include <gtest/gtest.h>

namespace maia::app {
namespace {

TEST(ControlRequest, comes_back_from_json_as_it_was) {
  using Action = ControlRequest::Action;
  for (const auto action : {Action::pause, Action::resume, Action::resync}) {
    const ControlRequest request{
        .action = action, .destination = "du\"ck", .table = "pub.\\t", .rows = "id in ('\n')"};
    const auto back = control_request_from_json(to_json(request));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->action, action);
    EXPECT_EQ(back->destination, request.destination);
    EXPECT_EQ(back->table, request.table);
    EXPECT_EQ(back->rows, request.rows);
  }
}

TEST(ControlRequest, anything_else_is_not_understood) {
  for (const char* json : {"", "{}", "[]", R"({"action":"stop","destination":"","table":"","rows":""})",
                           R"({"action":"pause","destination":1,"table":"","rows":""})",
                           R"({"action":"pause","destination":""})"}) {
    const auto read = control_request_from_json(json);
    ASSERT_FALSE(read.ok()) << json;
    EXPECT_EQ(read.error().code, Error::Code::invalid_config);
  }
}

}  // namespace
}  // namespace maia::app
