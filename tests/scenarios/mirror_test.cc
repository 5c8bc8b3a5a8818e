// SPDX-License-Identifier: Apache-2.0
// Whole databases, mirrored while they are worked on, and equal at the end: pgbench's own, a film rental, a
// table without a key, and names that nobody should use.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "maia/testing/child_process.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using testing::PostgresServer;

struct Pair {
  std::string schema;
  std::string table;
};

void expect_equal(testing::ComparedSystem& source, testing::ComparedSystem& destination,
                  const std::vector<Pair>& tables) {
  for (const auto& [schema, table] : tables) {
    SCOPED_TRACE(schema + "." + table);
    const auto compared = testing::compare(source, destination,
                                           {.left = {schema, table}, .right = {schema, table}, .except = {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << compared->report();
  }
}

class Databases : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    source = start();
    if (GetParam() == "postgres") destination_server = start();
  }
  static std::unique_ptr<PostgresServer> start() {
    auto server = PostgresServer::start();
    EXPECT_TRUE(server.ok()) << server.error().message;
    return std::move(*server);
  }
  void execute(const std::string& sql) {
    const auto executed = source->execute(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message << "\n" << sql.substr(0, 300);
  }
  void open(const std::string& tables, const std::string& more = {}) {
    auto made =
        Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: {}\n", source->uri(), tables),
                     destination_server ? fmt::format("type: postgres\nurl: {}\n", destination_server->uri())
                                        : "type: duckdb\npath: {}/copy.duckdb\n",
                     more);
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
  }
  void catch_up() {
    const auto caught_up = mirror->catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  }
  void check(const std::vector<Pair>& tables) {
    auto left = testing::compared_postgres(source->uri());
    auto right = destination_server ? testing::compared_postgres(destination_server->uri())
                                    : testing::compared_duckdb(mirror->directory() / "copy.duckdb");
    ASSERT_TRUE(left.ok() && right.ok());
    expect_equal(**left, **right, tables);
  }

  std::unique_ptr<PostgresServer> source;
  std::unique_ptr<PostgresServer> destination_server;
  std::optional<Mirror> mirror;
};

INSTANTIATE_TEST_SUITE_P(Into, Databases, ::testing::Values("duckdb", "postgres"),
                         [](const auto& each) { return each.param; });

TEST_P(Databases, pgbench_is_mirrored_and_equal) {
  const auto pgbench = "/usr/lib/postgresql/15/bin/pgbench";
  const auto made = testing::ChildProcess::run({pgbench, "-i", "-q", "-s", "10", source->uri()});
  ASSERT_TRUE(made.ok()) << made.error().message;
  // Its history has no key.
  execute("alter table pgbench_history replica identity full");
  open("[\"pgbench_*\"]");
  ASSERT_TRUE(mirror->start().ok());
  const auto load =
      testing::ChildProcess::run({pgbench, "-n", "-c", "4", "-T", long_run() ? "60" : "8", source->uri()});
  ASSERT_TRUE(load.ok()) << load.error().message;
  ASSERT_TRUE(mirror->running()) << mirror->log_tail();
  EXPECT_EQ(mirror->stop(), 0);
  catch_up();
  check({{"public", "pgbench_accounts"},
         {"public", "pgbench_branches"},
         {"public", "pgbench_tellers"},
         {"public", "pgbench_history"}});
}

constexpr const char* kRental = R"sql(
create type rating as enum ('G', 'PG', 'R');
create domain year_made as int check (value between 1900 and 2100);
create table language (id smallserial primary key, name char(20) not null,
    changed timestamptz not null default now());
create table film (
  id serial primary key, title text not null, description text, made year_made,
    language_id smallint not null references language,
  rate numeric(4,2) not null default 4.99, length_min smallint, rating rating default 'G',
    features text[], plot tsvector);
create table actor (id serial primary key, first_name text not null, last_name text not null);
create table film_actor (actor_id int references actor, film_id int references film on delete cascade,
    primary key (actor_id, film_id));
create table customer (id serial primary key, store_id smallint not null, email text unique,
    active bool not null default true,
  address jsonb, since date not null default current_date);
create table rental (id serial primary key, film_id int not null references film on delete cascade,
  customer_id int not null references customer on delete cascade, period tstzrange, returned timestamptz);
create table payment (id int not null, customer_id int not null references customer on delete cascade,
    amount numeric(5,2) not null,
  paid date not null, primary key (id, paid)) partition by range (paid);
create table payment_2025 partition of payment for values from ('2025-01-01') to ('2026-01-01');
create table payment_2026 partition of payment for values from ('2026-01-01') to ('2027-01-01');
create view film_list as select f.title, l.name from film f join language l on l.id = f.language_id;
insert into language (name) values ('English'), ('Français'), ('日本語');
insert into film (title, description, made, language_id, rating, features, plot, length_min)
  select 'Film ' || i, repeat('scene ', i % 50), 1950 + i % 70, 1 + i % 3,
    (enum_range(null::rating))[1 + i % 3],
  case when i % 2 = 0 then array['Trailers', 'Deleted "Scenes"', null] end,
    to_tsvector('the plot of ' || i), i % 200 from generate_series(1, 2000) i;
insert into actor (first_name, last_name) select 'First' || i, 'O''Last' || i from generate_series(1,
    200) i;
insert into film_actor select distinct 1 + i % 200, 1 + (i * 7) % 2000 from generate_series(1, 5000) i;
insert into customer (store_id, email, address) select 1 + i % 2, 'c' || i || '@example.com',
  jsonb_build_object('city', 'City ' || i, 'zip', null, 'n', i / 7.0) from generate_series(1, 500) i;
insert into rental (film_id, customer_id, period) select 1 + i % 2000, 1 + i % 500,
  tstzrange(timestamptz '2026-01-01' + i * interval '1 hour',
    timestamptz '2026-01-04' + i * interval '1 hour') from generate_series(1, 8000) i;
insert into payment select i, 1 + i % 500, i % 900 / 100.0,
    date '2025-06-01' + i % 400 from generate_series(1, 8000) i;
)sql";

TEST_P(Databases, a_film_rental_with_foreign_keys_partitions_and_views_is_mirrored_and_equal) {
  execute(kRental);
  open("[\"public.*\"]");
  ASSERT_TRUE(mirror->start().ok());
  for (int i = 0; i < 40; ++i) {
    execute(fmt::format(
        "begin; insert into film (title, language_id) values ('New {0}', 1); insert into rental (film_id, "
        "customer_id)"
        " select max(id), {0} + 1 from film; update rental set returned = now() where id % 40 = {0};"
        " update payment set amount = amount + 0.5, paid = paid + 90 where id % 97 = {0} and paid < "
        "'2026-03-01';"
        " update customer set email = 'moved{0}@example.com' where id = {0} + 1; delete from customer where "
        "id = 400 + {0};"
        " delete from film where id = {0} * 3 + 5; savepoint s; update actor set last_name = 'never'; "
        "rollback to s;"
        " update film set plot = to_tsvector('other {0}') where id % 40 = {0}; commit",
        i));
  }
  execute("truncate film_actor; insert into film_actor select 1, id from film where id < 20");
  ASSERT_TRUE(mirror->running()) << mirror->log_tail();
  mirror->kill9();
  catch_up();
  check({{"public", "language"},
         {"public", "film"},
         {"public", "actor"},
         {"public", "film_actor"},
         {"public", "customer"},
         {"public", "rental"},
         {"public", "payment"}});
}

TEST_P(Databases, a_table_without_a_key_keeps_its_duplicates) {
  execute(
      "create table log (level text, message text, n int); alter table log replica identity full;"
      "insert into log select case when i % 4 > 0 then 'info' end, 'm' || i % 5, i % 3 from "
      "generate_series(1, 300) i");
  open("[log]");
  catch_up();
  execute("insert into log select 'info', 'm1', 1 from generate_series(1, 7)");
  execute("delete from log where ctid in (select ctid from log where message = 'm1' and n = 1 limit 5)");
  execute("update log set n = null where ctid in (select ctid from log where message = 'm2' limit 9)");
  execute("delete from log where ctid in (select ctid from log where level is null limit 11)");
  catch_up();
  check({{"public", "log"}});
}

/// Identifiers with everything that quoting can get wrong.
std::vector<std::string> hostile_names() {
  const char* const pieces[] = {"\"", "'", "\\",   ";--",   "\n", "\t", "%s", "{}", "$1",
                                "`",  "]", "/*",   "*/",    "é",  "日", "“",  " ",  "select",
                                "0",  ".", "\x7f", "::int", "?",  "#",  "&&"};
  std::vector<std::string> names;
  for (std::size_t i = 0; names.size() < 100; ++i) {
    std::string name = "t";
    for (auto n = i + 1; n > 0; n /= std::size(pieces)) name += pieces[n % std::size(pieces)];
    names.push_back(name + std::to_string(i));
  }
  names.push_back(std::string(63, 'n'));
  return names;
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

TEST_P(Databases, five_hundred_hostile_identifiers_arrive_and_harm_nothing) {
  const auto names = hostile_names();
  execute("create schema \"sch\"\"ema '\\\"");
  for (const auto& name : names) {
    execute(fmt::format(
        "create table \"sch\"\"ema '\\\".{0} ({0} int primary key, {1} text, {2} text, {3} text, {4} text);"
        "insert into \"sch\"\"ema '\\\".{0} select i, 'v' || i from generate_series(1, 5) i",
        quoted(name), quoted("a" + name.substr(0, 60)), quoted("b" + name.substr(0, 60)),
        quoted("c" + name.substr(0, 60)), quoted("d" + name.substr(0, 60))));
  }
  open("['sch\"ema ''\\.*']");
  catch_up();
  for (const auto& name : names) {
    execute(
        fmt::format("update \"sch\"\"ema '\\\".{0} set {1} = 'changed' where {0} = 2; delete from "
                    "\"sch\"\"ema '\\\".{0} where {0} = 4",
                    quoted(name), quoted("b" + name.substr(0, 60))));
  }
  catch_up();
  std::vector<Pair> pairs;
  for (const auto& name : names) pairs.push_back({"sch\"ema '\\", name});
  check(pairs);
}

}  // namespace
}  // namespace maia::tests
