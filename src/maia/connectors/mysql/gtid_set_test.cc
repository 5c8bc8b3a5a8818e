// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/gtid_set.h"

#include <gtest/gtest.h>

#include "maia/connectors/mysql/position.h"

namespace maia::mysql {
namespace {

const std::string kA = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string kB = "aaaaaaaa-71ca-11e1-9e33-c80aa9429562";

GtidSet set(const std::string& text) {
  auto parsed = GtidSet::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? *parsed : GtidSet();
}

TEST(GtidSetTest, has_one_spelling) {
  EXPECT_EQ(set("").text(), "");
  EXPECT_EQ(set(kA + ":5-6:1-3:4").text(), kA + ":1-6");
  EXPECT_EQ(set(" " + kB + ":7 ,\n" + kA + " : 1 - 3 : 9").text(), kA + ":1-3:9," + kB + ":7");
  EXPECT_EQ(set("3E11FA47-71CA-11E1-9E33-C80AA9429562:1").text(), kA + ":1");
  EXPECT_EQ(set(kA + ":1-3:Backup:5:1-2," + kA + ":4").text(), kA + ":1-4:backup:1-2:5");
}

TEST(GtidSetTest, refuses_what_is_none) {
  const std::vector<std::string> all = {"x",
                                        kA,
                                        kA + ":",
                                        kA + ":0",
                                        kA + ":5-3",
                                        kA + ":1:tag",
                                        kA + ":9223372036854775807",
                                        kA + ":1-2-3",
                                        kA + ":9tag:1",
                                        "3e11fa47x71ca-11e1-9e33-c80aa9429562:1",
                                        "3e11fa4771ca11e19e33c80aa9429562:1"};
  for (const auto& bad : all) {
    EXPECT_FALSE(GtidSet::parse(bad).ok()) << bad;
  }
}

TEST(GtidSetTest, adds_joins_and_takes_away) {
  auto one = set(kA + ":1-3:7-9");
  one.add(set(kA + ":4-6," + kB + ":1:tag:2"));
  EXPECT_EQ(one.text(), kA + ":1-9," + kB + ":1:tag:2");
  one.subtract(set(kA + ":1:5:9-100," + kB + ":1:tag:1"));
  EXPECT_EQ(one.text(), kA + ":2-4:6-8," + kB + ":tag:2");
  one.subtract(one);
  EXPECT_TRUE(one.empty());
  EXPECT_EQ(one.text(), "");
}

TEST(GtidSetTest, contains_parts_of_itself_only) {
  const auto whole = set(kA + ":1-10:20," + kB + ":tag:5");
  EXPECT_TRUE(whole.contains(set("")));
  EXPECT_TRUE(whole.contains(set(kA + ":3-4:10:20")));
  EXPECT_FALSE(whole.contains(set(kA + ":9-11")));
  EXPECT_FALSE(whole.contains(set(kB + ":5"))) << "a tag is another origin";
  EXPECT_FALSE(set("").contains(whole));
}

TEST(GtidSetTest, is_encoded_for_the_server) {
  const auto plain = set(kA + ":1-3:7").encoded();
  ASSERT_EQ(plain.size(), 8U + 16 + 8 + 4 * 8);
  EXPECT_EQ(plain[0], 1);
  EXPECT_EQ(plain[8], 0x3e);
  EXPECT_EQ(plain[24], 2);
  EXPECT_EQ(plain[32], 1);
  EXPECT_EQ(plain[40], 4) << "ends are exclusive";
  const auto tagged = set(kA + ":1:ab:2").encoded();
  EXPECT_EQ(tagged[0], 1);
  EXPECT_EQ(tagged[1], 2);
  EXPECT_EQ(tagged[7], 1);
}

TEST(MysqlPositionTest, orders_places_of_one_history) {
  const auto at = [](const std::string& text) { return Position{"mysql:" + text}; };
  EXPECT_TRUE(compare(at(kA + ":1-3"), at(kA + ":1-4")) < 0);
  EXPECT_TRUE(compare(at(kA + ":1-3"), at("")) > 0);
  EXPECT_TRUE(compare(Position{}, at("")) < 0);
  EXPECT_TRUE(compare(at(kA + ":1-3"), at(kA + ":1-2:4")) == std::partial_ordering::unordered);
  EXPECT_TRUE(compare(at(kA + ":1"), Position{"mariadb:0-1-1"}) == std::partial_ordering::unordered);
  EXPECT_TRUE(compare(Position{"mariadb:0-1-7,1-1-3"}, Position{"mariadb:0-2-8,1-1-3"}) < 0);
  EXPECT_TRUE(compare(Position{"mariadb:0-1-7"}, Position{"mariadb:0-1-7,5-1-1"}) < 0);
  EXPECT_TRUE(compare(Position{"mariadb:0-1-9,1-1-3"}, Position{"mariadb:0-1-8,1-1-4"}) ==
              std::partial_ordering::unordered);
  EXPECT_TRUE(compare(Position{"x"}, at("")) == std::partial_ordering::unordered);
}

TEST(MysqlPositionTest, the_state_of_a_log_has_several_servers_in_a_domain) {
  const auto state = DomainPositions::parse_state("0-2-40,0-1-42, 7-1-3");
  ASSERT_TRUE(state.ok());
  const DomainPositions::State expected{{{0, 1}, 42}, {{0, 2}, 40}, {{7, 1}, 3}};
  EXPECT_EQ(*state, expected);
  EXPECT_TRUE(DomainPositions::parse_state("")->empty());
  for (const auto* bad : {"0-1", "0-1-2,0-1-3", "x"})
    EXPECT_FALSE(DomainPositions::parse_state(bad).ok()) << bad;
}

TEST(MysqlPositionTest, tokens_come_back_as_they_were) {
  const std::vector<std::string> all = {
      "mysql:", "mariadb:", "mariadb:0-1-7,4294967295-2-18446744073709551615", "mariadb:0-1-9|0-1-7",
      "mysql:" + kA + ":1-3"};
  for (const auto& token : all) {
    const auto place = LogPlace::parse(Position{token});
    ASSERT_TRUE(place.ok()) << token;
    EXPECT_EQ(place->position().token, token);
  }
  for (const auto* bad : {"", "mysql", "mariadb:0-1", "mariadb:0-1-1,0-1-2", "postgres:1", "mysql:|"}) {
    EXPECT_FALSE(LogPlace::parse(Position{bad}).ok()) << bad;
  }
}

}  // namespace
}  // namespace maia::mysql
