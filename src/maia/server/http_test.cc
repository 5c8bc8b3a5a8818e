// SPDX-License-Identifier: Apache-2.0
#include "maia/server/http.h"

#include <gmock/gmock.h>

namespace maia::server {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(HttpTest, a_target_is_split_and_decoded) {
  Request request;
  ASSERT_TRUE(parse_target("/a%20b/c?x=1&y=a+b%2Bc&flag&x=2", request));
  EXPECT_EQ(request.path, "/a b/c");
  EXPECT_THAT(request.query, ElementsAre(Pair("flag", ""), Pair("x", "2"), Pair("y", "a b+c")));
}

TEST(HttpTest, broken_targets_are_refused) {
  for (const auto* target : {"", "a", "*", "/%", "/%1", "/%zz", "/a?x=%f", "http://host/"}) {
    Request request;
    EXPECT_FALSE(parse_target(target, request)) << target;
  }
  Request request;
  EXPECT_TRUE(parse_target("/%41", request));
  EXPECT_EQ(request.path, "/A");
}

TEST(HttpTest, routes_are_found_by_path_and_method) {
  Routes routes;
  routes.add("GET", "/a", [](const Request&) { return Response{.body = "got"}; });
  routes.add("POST", "/b", [](const Request& request) { return Response{.body = request.body}; });
  EXPECT_EQ(routes.answer({.path = "/a"}).body, "got");
  EXPECT_EQ(routes.answer({.method = "HEAD", .path = "/a"}).body, "got");
  EXPECT_EQ(routes.answer({.method = "POST", .path = "/b", .body = "x"}).body, "x");
  EXPECT_EQ(routes.answer({.path = "/b"}).status, 405u);
  EXPECT_EQ(routes.answer({.path = "/a/"}).status, 404u);
  EXPECT_EQ(routes.answer({.path = "/<\">"}).body, "{\"error\":\"there is nothing at /<\\\">\"}\n");
}

}  // namespace
}  // namespace maia::server
