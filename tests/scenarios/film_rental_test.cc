// SPDX-License-Identifier: Apache-2.0
// A film rental in MySQL or MariaDB, mirrored to PostgreSQL and from there to a second server of the same
// product, while it is worked on and both pipelines are killed: what comes back is the original.
// shows: mysql -> postgres
// shows: postgres -> mysql
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "maia/testing/mysql_server.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using testing::MysqlProduct;

constexpr const char* kRental = R"sql(
create table language (
  id tinyint unsigned primary key auto_increment, name char(20) not null,
  changed timestamp not null default current_timestamp on update current_timestamp);
create table film (
  id smallint unsigned primary key auto_increment, title varchar(128) not null, description text, made year,
  language_id tinyint unsigned not null, rental_days tinyint unsigned not null default 3,
  rate decimal(4,2) not null default 4.99, length_min smallint unsigned,
  replacement decimal(5,2) not null default 19.99, rating enum('G','PG','PG-13','R','NC-17') default 'G',
  features set('Trailers','Commentaries','Deleted Scenes','Behind the Scenes'), extra json,
  changed timestamp(3) not null default current_timestamp(3) on update current_timestamp(3), key (title),
  foreign key (language_id) references language (id) on update restrict);
create table actor (
  id int primary key auto_increment, first_name varchar(45) not null, last_name varchar(45) not null,
  key (last_name));
create table film_actor (
  actor_id int, film_id smallint unsigned, primary key (actor_id, film_id),
  foreign key (actor_id) references actor (id), foreign key (film_id) references film (id));
create table staff (
  id int primary key, name varchar(45) not null, picture blob, password varbinary(40),
  active boolean not null default true);
create table customer (
  id int primary key auto_increment, staff_id int not null, email varchar(50) unique, balance decimal(12,4),
  born date, joined datetime(6), foreign key (staff_id) references staff (id));
create table rental (
  id bigint primary key auto_increment, rented datetime not null, film_id smallint unsigned not null,
  customer_id int not null, returned datetime(6), length time(3), unique (rented, film_id, customer_id),
  foreign key (film_id) references film (id), foreign key (customer_id) references customer (id));
create table payment (
  id bigint unsigned primary key auto_increment, rental_id bigint, amount decimal(5,2) not null, ratio double,
  share float, paid datetime(2), foreign key (rental_id) references rental (id));
create view film_list as select f.title, l.name from film f join language l on l.id = f.language_id;
insert into language (name) values ('English'), ('Français'), ('日本語');
)sql";

/// Each table by its primary key, with texts that do not depend on how wide a column of time is, or on
/// whether a text is a VARCHAR.
const std::map<std::string, std::string> kRows = {
    {"language", "select id, hex(rtrim(name)), cast(changed as datetime(6)) from language order by id"},
    {"film",
     "select id, hex(title), hex(description), made, language_id, rental_days, rate, length_min, "
     "replacement, "
     "concat(rating), concat(features), replace(concat(extra), ' ', ''), cast(changed as datetime(6)) from "
     "film "
     "order by id"},
    {"actor", "select id, hex(first_name), hex(last_name) from actor order by id"},
    {"film_actor", "select actor_id, film_id from film_actor order by actor_id, film_id"},
    {"staff", "select id, hex(name), hex(picture), hex(password), active from staff order by id"},
    {"customer",
     "select id, staff_id, hex(email), balance, born, cast(joined as datetime(6)) from customer order by id"},
    {"rental",
     "select id, cast(rented as datetime(6)), film_id, customer_id, cast(returned as datetime(6)), "
     "cast(length "
     "as time(6)) from rental order by id"},
    {"payment",
     "select id, rental_id, amount, ratio, share + 0e0, cast(paid as datetime(6)) from payment order by id"}};

class FilmRental : public ::testing::TestWithParam<MysqlProduct> {
 protected:
  void SetUp() override {
    origin = start();
    copy = start();
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    middle = std::move(*started);
    for (auto* server : {origin.get(), copy.get()}) {
      const auto made = server->execute("create database rental default charset utf8mb4");
      ASSERT_TRUE(made.ok()) << made.error().message;
    }
    execute(kRental);
    fill();
    there.emplace(Mirror::make(fmt::format("type: mysql\nurl: {}\ntables: [\"rental.*\"]\n", origin->uri()),
                               fmt::format("type: postgres\nurl: {}\n", middle->uri()))
                      .value());
    back.emplace(Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [\"rental.*\"]\n", middle->uri()),
                              fmt::format("type: mysql\nurl: {}\n", copy->uri("rental")))
                     .value());
  }
  static std::unique_ptr<testing::MysqlServer> start() {
    auto server = testing::MysqlServer::start({.product = GetParam(), .settings = {}});
    EXPECT_TRUE(server.ok()) << server.error().message;
    return std::move(*server);
  }
  void execute(const std::string& sql) {
    const auto executed = origin->execute(sql, "rental");
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  void fill() {
    execute(
        "set @row = 0; create temporary table n as select @row := @row + 1 as i from "
        "information_schema.columns a, information_schema.columns b limit 2000; "
        "insert into film (title, description, made, language_id, rating, features, extra, length_min) "
        "select "
        "concat('Film ', i), repeat('scène ', i % 50), 1950 + i % 70, 1 + i % 3, elt(1 + i % 4, 'G', "
        "'PG-13', "
        "'NC-17', null), elt(1 + i % 3, 'Trailers,Deleted Scenes', '', null), concat('{\"n\": ', i, "
        "', \"list\": [null, \"ö\"]}'), i % 200 from n; "
        "insert into actor (first_name, last_name) select concat('First', i), concat('O''Last', i) from n "
        "where i <= 200; "
        "insert into staff select i, concat('Staff ', i), if(i % 2, unhex(repeat(sha2(i, 256), 200)), null), "
        "unhex(left(sha2(i, 256), 40)), i % 3 from n where i <= 9; "
        "insert into customer (staff_id, email, balance, born, joined) select 1 + i % 9, concat('c', i, "
        "'@example.com'), i / 7, date '1960-01-01' + interval i day, timestamp '2026-01-01 00:00:00' + "
        "interval i * 7 "
        "microsecond from n where i <= 500; "
        "insert ignore into film_actor select 1 + i % 200, 1 + (i * 7) % 2000 from n; "
        "insert into rental (rented, film_id, customer_id, returned, length) select timestamp '2026-01-01 "
        "00:00:00' + "
        "interval i minute, 1 + i % 2000, 1 + i % 500, if(i % 3, timestamp '2026-02-01 00:00:00' + interval "
        "i * 13 "
        "microsecond, null), sec_to_time(i + 0.125) from n; "
        "insert into payment (rental_id, amount, ratio, share, paid) select i, i % 900 / 100, i / 3, i / 3, "
        "timestamp '2026-03-01 10:00:00' + interval i second from n");
  }
  /// A day at the counter.
  void work(int day) {
    execute(fmt::format(
        R"sql(begin;
insert into film (title, language_id, extra) values ('New {0}', 1, '[{0}]'); set @film = last_insert_id();
insert into film_actor values (1 + {0}, @film);
insert into rental (rented, film_id, customer_id) values ('2026-05-01 10:00:00', @film, {0} + 1);
insert into payment (rental_id, amount) values (last_insert_id(), 1.{0:02});
update rental set returned = '2026-06-01 00:00:00.{0:06}' where id % 40 = {0};
update customer set email = concat('moved{0}', id, '@example.com'), balance = balance * -1.5
  where id % 50 = {0};
delete from payment where id % 61 = {0};
delete from film_actor where film_id % 37 = {0};
update staff set picture = unhex(sha2({0}, 256)) where id = 1 + {0} % 9;
savepoint s; update actor set last_name = 'never'; rollback to savepoint s;
update film set features = 'Commentaries', rating = 'R' where id % 40 = {0};
update payment set id = id + 100000 where id between 1000 + {0} * 5 and 1003 + {0} * 5;
commit)sql",
        day));
  }
  void expect_original() {
    for (const auto& [table, sql] : kRows) {
      const auto left = origin->query(sql, "rental");
      const auto right = copy->query(sql, "rental");
      ASSERT_TRUE(left.ok() && right.ok()) << (left.ok() ? right : left).error().message;
      EXPECT_GT(left->size(), 2u);
      ASSERT_EQ(left->size(), right->size()) << table;
      std::size_t different = 0;
      for (std::size_t i = 0; i < left->size(); ++i) {
        if ((*left)[i] == (*right)[i] || ++different > 3) continue;
        EXPECT_THAT((*right)[i], ::testing::ElementsAreArray((*left)[i])) << table;
      }
      EXPECT_EQ(different, 0u) << table;
    }
  }

  std::unique_ptr<testing::MysqlServer> origin, copy;
  std::unique_ptr<testing::PostgresServer> middle;
  std::optional<Mirror> there, back;
};
INSTANTIATE_TEST_SUITE_P(Of, FilmRental, ::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(FilmRental, to_postgres_and_back_is_the_original) {
  // The second pipeline needs the tables of the first.
  const auto copied = there->catch_up();
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  ASSERT_TRUE(there->start().ok());
  ASSERT_TRUE(back->start().ok());
  const auto streaming = back->await({"status", "--state", back->state()}, "streaming");
  ASSERT_TRUE(streaming.ok()) << streaming.error().message;
  for (int day = 0; day < 40; ++day) {
    work(day);
    if (day == 15) there->kill9();
    if (day == 20) {
      const auto again = there->start();
      ASSERT_TRUE(again.ok()) << again.error().message;
    }
    if (day == 30) back->kill9();
  }
  execute(
      "alter table customer add column points int not null default 7; update customer set points = id where "
      "id "
      "% 2 = 0");
  // One that has only just been started may not heed a signal yet.
  const auto again = there->await({"status", "--state", there->state()}, "streaming");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(there->stop(), 0) << there->log_tail();
  for (auto* pipeline : {&*there, &*back}) {
    const auto caught_up = pipeline->catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  }
  expect_original();
  const auto* const points = "select sum(points) from customer";
  EXPECT_EQ(origin->query(points, "rental").value(), copy->query(points, "rental").value());
  EXPECT_FALSE(copy->query("select * from film_list", "rental").ok()) << "a view is not a table";
}

}  // namespace
}  // namespace maia::tests
