// SPDX-License-Identifier: Apache-2.0
#include "maia/config/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace maia::config {

enum class OnFull { wait, fail };
template <>
inline constexpr Choice<OnFull> choices_of<OnFull>[] = {{"wait", OnFull::wait}, {"fail", OnFull::fail}};

namespace {

using namespace std::chrono_literals;

struct Login {
  std::string user = "maia";
  Secret password;
};
struct Route {
  std::string from, to;
};
struct Sample {
  std::string host;
  int port = 5432;
  std::uint16_t small = 7;
  bool compress = true;
  double ratio = 0.5;
  std::chrono::milliseconds wait{5s};
  ByteSize limit = ByteSize::mib(64);
  OnFull on_full = OnFull::wait;
  std::optional<std::string> note;
  std::vector<std::string> tables;
  std::map<std::string, std::string> labels;
  Login login;
  std::vector<Route> routes;
  std::map<std::string, Login> logins;
};

Spec<Login> login_spec() {
  return Spec<Login>().add("user", &Login::user, "Who.").add("password", &Login::password, "Proof.");
}

Spec<Sample> spec() {
  return Spec<Sample>()
      .add("host", &Sample::host, "Name of the server.")
      .required()
      .example("db.example.com")
      .add("port", &Sample::port, "Its port.")
      .between(1, 65535)
      .add("small", &Sample::small, "A small number.")
      .add("compress", &Sample::compress, "Whether to compress.")
      .add("ratio", &Sample::ratio, "A ratio.")
      .between(0, 1)
      .add("wait", &Sample::wait, "How long to wait.")
      .between(10ms, 1h)
      .advanced()
      .add("limit", &Sample::limit, "Most bytes.")
      .between(ByteSize::kib(4), ByteSize::gib(1))
      .add("on_full", &Sample::on_full, "What then.")
      .add("note", &Sample::note, "Anything.")
      .add("tables", &Sample::tables, "Tables.")
      .example("[customers, orders]")
      .add("labels", &Sample::labels, "Labels.")
      .group("login", &Sample::login, login_spec(), "Who logs in.")
      .group("routes", &Sample::routes,
             Spec<Route>().add("from", &Route::from, "From.").required().add("to", &Route::to, "To."),
             "Routes.")
      .group("logins", &Sample::logins, login_spec(), "Several.")
      .rule([](const Sample& s) -> Status {
        if (s.host != "forbidden") return {};
        return Error{Error::Code::invalid_config, Recovery::halt, "host may not be forbidden",
                     "choose another"};
      });
}

/// Builds a mapping whose entries stand on line 2 and following, as a file would have them.
Node mapping(std::vector<std::pair<std::string, Node>> entries) {
  Node out{Node::Mapping{}, {"maia.yaml", 1, 1}};
  int line = 2;
  for (auto& [key, value] : entries) {
    value.mark = {"maia.yaml", line, 9};
    std::get<Node::Mapping>(out.value).push_back({key, {"maia.yaml", line, 3}, std::move(value)});
    ++line;
  }
  return out;
}
Node list(std::vector<std::string> words) {
  Node::Sequence out;
  for (auto& word : words) out.push_back(Node::text(word));
  return Node{out, {}};
}
Node with(std::string key, Node value) {
  return mapping({{"host", Node::text("h")}, {std::move(key), std::move(value)}});
}
void expect_error(const Node& node, const std::string& message, const std::string& hint) {
  const auto read = spec().read(node, "source");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().message, message);
  EXPECT_EQ(read.error().hint, hint);
  EXPECT_EQ(read.error().code, Error::Code::invalid_config);
}

TEST(Spec, defaults_come_from_the_struct) {
  const auto read = spec().read(mapping({{"host", Node::text("h")}}));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->port, 5432);
  EXPECT_EQ(read->wait, 5s);
  EXPECT_EQ(read->limit, ByteSize::mib(64));
  EXPECT_EQ(read->login.user, "maia");
  EXPECT_FALSE(read->note.has_value());
}

TEST(Spec, reads_every_kind) {
  const auto read =
      spec().read(mapping({{"host", Node::text("h")},
                           {"port", Node::text("1")},
                           {"compress", Node::text("false")},
                           {"ratio", Node::text("0.25")},
                           {"wait", Node::text("1m 30s")},
                           {"limit", Node::text("1GiB")},
                           {"on_full", Node::text("fail")},
                           {"note", Node::text("")},
                           {"tables", list({"a", "b"})},
                           {"labels", mapping({{"k", Node::text("v")}})},
                           {"login", mapping({{"password", Node::text("p")}})},
                           {"logins", mapping({{"x", mapping({{"user", Node::text("u")}})}})}}));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->port, 1);
  EXPECT_FALSE(read->compress);
  EXPECT_EQ(read->ratio, 0.25);
  EXPECT_EQ(read->wait, 90s);
  EXPECT_EQ(read->limit, ByteSize::gib(1));
  EXPECT_EQ(read->on_full, OnFull::fail);
  EXPECT_EQ(read->note, "");
  EXPECT_THAT(read->tables, testing::ElementsAre("a", "b"));
  EXPECT_EQ(read->labels.at("k"), "v");
  EXPECT_EQ(read->login.user, "maia");
  EXPECT_EQ(read->login.password.reveal(), "p");
  EXPECT_EQ(read->logins.at("x").user, "u");
}

TEST(Spec, one_value_stands_for_a_list_of_one) {
  EXPECT_THAT(spec().read(with("tables", Node::text("orders")))->tables, testing::ElementsAre("orders"));
}

TEST(Spec, unknown_key_names_place_and_nearest) {
  expect_error(with("prot", Node::text("1")), "maia.yaml:3:3: unknown key 'prot' in 'source'",
               "did you mean 'port'?");
  expect_error(
      with("zzzzzz", Node::text("1")), "maia.yaml:3:3: unknown key 'zzzzzz' in 'source'",
      "known keys are host, port, small, compress, ratio, wait, limit, on_full, note, tables, labels, "
      "login, routes and logins");
}

TEST(Spec, keys_that_begin_with_x_are_free) { EXPECT_TRUE(spec().read(with("x-team", list({"a"}))).ok()); }

TEST(Spec, missing_required_key_says_what_to_write) {
  expect_error(mapping({}), "maia.yaml:1:1: 'host' is missing in 'source'",
               "write host: db.example.com  # Name of the server.");
}

TEST(Spec, wrong_types_say_what_was_expected_and_what_to_write) {
  expect_error(with("port", Node::text("abc")),
               "maia.yaml:3:9: 'source.port' is 'abc' but must be a whole number between 1 and 65535",
               "write port: 5432");
  expect_error(with("port", Node::text("70000")),
               "maia.yaml:3:9: 'source.port' is '70000' but must be a whole number between 1 and 65535",
               "write port: 5432");
  expect_error(with("compress", Node::text("yes")),
               "maia.yaml:3:9: 'source.compress' is 'yes' but must be true or false", "write compress: true");
  expect_error(with("wait", Node::text("5")),
               "maia.yaml:3:9: 'source.wait' is '5' but must be a duration between 10ms and 1h",
               "write wait: 5s");
  expect_error(with("limit", Node::text("1 TB")),
               "maia.yaml:3:9: 'source.limit' is '1 TB' but must be a size in bytes between 4 KiB and 1 GiB",
               "write limit: 64 MiB");
  expect_error(with("tables", mapping({})), "maia.yaml:3:9: 'source.tables' is a mapping but must be a list",
               "write tables: [customers, orders]");
  expect_error(with("host2", {}), "maia.yaml:3:3: unknown key 'host2' in 'source'", "did you mean 'host'?");
  expect_error(with("login", Node::text("x")),
               "maia.yaml:3:9: 'source.login' is 'x' but must be a mapping of settings",
               "write login: {user: ...}");
  expect_error(with("port", Node{}), "maia.yaml:3:9: 'source.port' has no value",
               "write port: 5432, or remove the line to get the default");
  expect_error(with("small", Node::text("70000")),
               "maia.yaml:3:9: 'source.small' is '70000' but must be a whole number between 0 and 65535",
               "write small: 7");
}

TEST(Spec, wrong_choice_names_the_nearest) {
  expect_error(with("on_full", Node::text("wiat")),
               "maia.yaml:3:9: 'source.on_full' is 'wiat' but must be one of wait or fail",
               "did you mean 'wait'?");
}

TEST(Spec, finer_durations_than_the_member_holds_are_refused) {
  const auto read = spec().read(with("wait", Node::text("10ms 500us")));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().message, "maia.yaml:3:9: '10ms 500us' is finer than this setting can be");
}

TEST(Spec, errors_in_groups_and_lists_name_the_path) {
  expect_error(with("login", mapping({{"usr", Node::text("x")}})),
               "maia.yaml:2:3: unknown key 'usr' in 'source.login'", "did you mean 'user'?");
  Node routes{Node::Sequence{mapping({{"to", Node::text("x")}})}, {}};
  expect_error(with("routes", routes), "maia.yaml:1:1: 'from' is missing in 'source.routes[1]'",
               "write from: text  # From.");
}

TEST(Spec, rules_get_the_place_of_the_mapping) {
  expect_error(mapping({{"host", Node::text("forbidden")}}), "maia.yaml:1:1: host may not be forbidden",
               "choose another");
}

TEST(Spec, no_message_shows_a_secret) {
  auto secret = Node::text("hunter2");
  std::get<Node::Scalar>(secret.value).secret = true;
  for (const auto* key : {"port", "compress", "wait", "limit", "on_full", "login", "labels", "ratio"}) {
    const auto read = spec().read(with(key, secret));
    ASSERT_FALSE(read.ok()) << key;
    EXPECT_THAT(read.error().message + read.error().hint, testing::Not(testing::HasSubstr("hunter2")));
  }
}

TEST(Spec, settings_carry_what_derivations_need) {
  const auto settings = spec().settings();
  EXPECT_EQ(settings[1].default_text, "5432");
  EXPECT_EQ(settings[5].default_text, "5s");
  EXPECT_TRUE(settings[5].advanced);
  EXPECT_EQ(settings[6].default_text, "64 MiB");
  EXPECT_THAT(settings[7].choices, testing::ElementsAre("wait", "fail"));
  EXPECT_EQ(settings[9].kind, Setting::Kind::list);
  EXPECT_EQ(settings[12].element, Setting::Kind::group);
  EXPECT_EQ(settings[12].members.size(), 2u);
}

}  // namespace
}  // namespace maia::config
