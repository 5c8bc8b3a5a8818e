// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "maia/connectors/postgres/snapshot_plan.h"
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

class SourceSnapshotTest : public SourceTest {
 protected:
  void prepare() {
    from_ = must(source_->prepare({})).from;
    replica_.set_position(from_);
    snapshot_ = must(source_->snapshot());
  }
  /// Reads some of the chunks, as a run that is killed does; what it had reached.
  TablePlanProgress read_some(const SchemaRef& table, const TablePlan& plan,
                              const std::function<bool(std::size_t)>& which) {
    TablePlan part;
    TablePlanProgress progress{plan.token, {}};
    for (std::size_t i = 0; i < plan.chunks.size(); ++i) {
      if (!which(i)) continue;
      part.chunks.push_back(plan.chunks[i]);
      progress.done.push_back(plan.chunks[i].number);
    }
    replica_.table(table).converging = plan.converging;
    read(table, part);
    std::sort(progress.done.begin(), progress.done.end());
    return progress;
  }
  /// A later snapshot, after a kill.
  void snapshot_again() {
    snapshot_.reset();
    snapshot_ = must(source_->snapshot());
  }
  Position from_;
};

TEST_F(SourceSnapshotTest, continuing_under_later_snapshots_is_exact_while_rows_move_between_chunks) {
  sql("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, pad text, large text) WITH (autovacuum_enabled = "
      "off);"
      "ALTER TABLE t ALTER COLUMN large SET STORAGE EXTERNAL;"
      "INSERT INTO t SELECT i, 0, repeat('p', 300), CASE WHEN i % 7 = 0 THEN repeat(md5(i::text), 100) END "
      "FROM generate_series(1, 20000) i");
  open();
  prepare();
  const auto table = schemas().at(0);
  auto plan = must(snapshot_->plan(table, {}));
  ASSERT_GE(plan.chunks.size(), 6u);
  EXPECT_FALSE(plan.converging);
  auto progress = read_some(table, plan, [](std::size_t i) { return i % 2 == 0; });
  std::mt19937 random(20261123);
  const auto traffic = [&] {
    // Updates move rows to free places anywhere, which deletes and vacuum make; large values stay untouched.
    sql("DELETE FROM t WHERE id % 11 = " + std::to_string(random() % 11));
    must(server().execute("VACUUM t", database_));
    sql("UPDATE t SET n = n + 1 WHERE id % 5 = " + std::to_string(random() % 5));
    sql("UPDATE t SET id = id + 1000000 WHERE id % 97 = " + std::to_string(random() % 97) +
        " AND id < 1000000");
    sql("UPDATE t SET large = repeat('n', 3000) WHERE id % 89 = " + std::to_string(random() % 89));
    const auto first = std::to_string(2000000 + random() % 1000000 * 1000);
    sql("INSERT INTO t SELECT i, 0, repeat('q', 300), repeat('l', 3000) FROM generate_series(" + first +
        ", " + first + " + 300) i");
    // Keys that are taken again after they had been given up.
    sql("BEGIN; DELETE FROM t WHERE id % 101 = 5; INSERT INTO t SELECT i, 9, 're', NULL FROM "
        "generate_series(5, 20000, 101) i; COMMIT");
  };
  traffic();
  std::set<std::uint32_t> used(progress.done.begin(), progress.done.end());
  for (int round = 0; round < 3; ++round) {
    snapshot_again();
    plan = must(snapshot_->plan(table, progress));
    EXPECT_TRUE(plan.converging);
    EXPECT_FALSE(plan.restarted);
    for (const auto& chunk : plan.chunks) {
      EXPECT_FALSE(used.contains(chunk.number)) << "chunk numbers are used once";
    }
    const bool last = round == 2;
    auto more = read_some(table, plan, [&](std::size_t i) { return last || i % 3 == 0; });
    used.insert(more.done.begin(), more.done.end());
    more.done.assign(used.begin(), used.end());
    progress = more;
    traffic();
  }
  follow(from_);
  catch_up();
  expect_equal();
}

TEST_F(SourceSnapshotTest, a_truncated_or_rewritten_table_is_begun_again) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text); INSERT INTO t SELECT i, repeat('p', 500) FROM "
      "generate_series(1, 9000) i");
  open();
  prepare();
  const auto table = schemas().at(0);
  const auto plan = must(snapshot_->plan(table, {}));
  const auto progress = read_some(table, plan, [](std::size_t i) { return i == 0; });
  sql("TRUNCATE t; INSERT INTO t VALUES (1, 'new')");
  // The first snapshot notices too, instead of reading a table that looks empty.
  const auto reader = must(snapshot_->open_reader());
  const auto outcome = reader->read(table, plan.chunks.back(), [](Batch) { return Status{}; }, {});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().recovery, Recovery::reconnect);
  snapshot_again();
  const auto again = must(snapshot_->plan(table, progress));
  EXPECT_TRUE(again.restarted);
  EXPECT_FALSE(again.converging);
  replica_.table(table).rows.clear();
  read(table, again);
  replica_.set_position(snapshot_->position());
  follow(snapshot_->position());
  sql("INSERT INTO t VALUES (2, 'later')");
  catch_up();
  expect_equal();
}

TEST_F(SourceSnapshotTest, a_table_without_key_is_begun_again) {
  sql("CREATE TABLE t (v int); ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t VALUES (1), (1)");
  open();
  prepare();
  const auto table = schemas().at(0);
  const auto plan = must(snapshot_->plan(table, {}));
  snapshot_again();
  const auto again = must(snapshot_->plan(table, TablePlanProgress{plan.token, {plan.chunks.at(0).number}}));
  EXPECT_TRUE(again.restarted);
  EXPECT_NE(again.chunks.at(0).number, plan.chunks.at(0).number);
}

TEST_F(SourceSnapshotTest, partitions_are_copied_and_streamed_under_their_root) {
  sql("CREATE TABLE t (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
      "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
      // Other order of columns, as after an attach.
      "CREATE TABLE t_2 (v text, day date NOT NULL, id int NOT NULL, PRIMARY KEY (id, day));"
      "ALTER TABLE t ATTACH PARTITION t_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');"
      "INSERT INTO t SELECT i, '2026-01-01'::date + i % 59, 'v' || i FROM generate_series(1, 1000) i");
  open();
  begin();
  ASSERT_EQ(replica_.tables().size(), 1u);
  EXPECT_EQ(replica_.tables().begin()->second.rows.size(), 1000u);
  sql("UPDATE t SET day = day + 1 WHERE id % 10 = 0 AND day < '2026-02-28'");
  sql("DELETE FROM t WHERE id % 7 = 0");
  sql("CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');"
      "INSERT INTO t VALUES (5000, '2026-03-05', 'new')");
  catch_up();
  expect_equal();
}

TEST_F(SourceSnapshotTest, inheritance_parents_are_read_without_their_children) {
  sql("CREATE TABLE parent (id int PRIMARY KEY, v text); CREATE TABLE child (PRIMARY KEY (id)) INHERITS "
      "(parent);"
      "INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 'c')");
  open();
  begin();
  sql("INSERT INTO parent VALUES (3, 'p'); INSERT INTO child VALUES (4, 'c')");
  catch_up();
  for (const auto& [id, table] : replica_.tables()) {
    EXPECT_EQ(table.rows.size(), 2u) << to_string(table.schema->name);
  }
  EXPECT_EQ(replica_.tables().size(), 2u);
}

TEST_F(SourceSnapshotTest, row_filters_and_column_lists_of_a_publication_hold_for_the_copy_too) {
  sql("CREATE TABLE t (id int PRIMARY KEY, kept text, hidden text);"
      "INSERT INTO t SELECT i, 'k' || i, 'h' FROM generate_series(1, 100) i;"
      "CREATE PUBLICATION narrow FOR TABLE t (id, kept) WHERE (id > 50)");
  auto with = config();
  with.publication = "narrow";
  open(with);
  begin();
  auto& table = replica_.tables().begin()->second;
  ASSERT_EQ(table.schema->columns.size(), 2u);
  EXPECT_EQ(table.rows.size(), 50u);
  sql("INSERT INTO t VALUES (10, 'no', 'h') ON CONFLICT (id) DO NOTHING; INSERT INTO t VALUES (500, 'yes', "
      "'h');"
      "DELETE FROM t WHERE id = 60");
  catch_up();
  EXPECT_EQ(table.rows.size(), 50u);
}

TEST_F(SourceSnapshotTest, generated_columns_are_left_to_who_computes_them) {
  sql("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, v text);"
      "INSERT INTO t (id, v) VALUES (1, 'a')");
  open();
  begin();
  sql("INSERT INTO t (id, v) VALUES (2, 'b')");
  catch_up();
  expect_equal();
}

TEST_F(SourceSnapshotTest, a_column_renamed_or_dropped_while_copying_does_not_stop_the_copy) {
  sql("CREATE TABLE t (id int PRIMARY KEY, a text, b text); INSERT INTO t VALUES (1, 'a', 'b'), (2, 'a', "
      "'b')");
  open();
  prepare();
  const auto table = schemas().at(0);
  const auto plan = must(snapshot_->plan(table, {}));
  sql("ALTER TABLE t RENAME COLUMN a TO title; ALTER TABLE t DROP COLUMN b; ALTER TABLE t RENAME TO u");
  read(table, plan);
  sql("UPDATE u SET title = 'new' WHERE id = 1");
  follow(from_);
  catch_up();
  expect_equal();
}

TEST_F(SourceSnapshotTest, several_readers_share_a_table) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text); INSERT INTO t SELECT i, repeat('p', 400) FROM "
      "generate_series(1, 20000) i");
  open();
  prepare();
  const auto table = schemas().at(0);
  const auto plan = must(snapshot_->plan(table, {}));
  ASSERT_GT(plan.chunks.size(), 3u);
  std::mutex mutex;
  std::vector<std::jthread> readers;
  for (std::size_t worker = 0; worker < 3; ++worker) {
    readers.emplace_back([&, worker] {
      const auto reader = must(snapshot_->open_reader());
      for (std::size_t i = worker; i < plan.chunks.size(); i += 3) {
        must(reader->read(table, plan.chunks[i],
                          [&](Batch batch) -> Status {
                            const std::lock_guard lock(mutex);
                            replica_.copy(batch);
                            return {};
                          },
                          {}));
      }
    });
  }
  readers.clear();
  expect_equal();
}

TEST_F(SourceSnapshotTest, a_reader_stops_when_asked_and_can_read_again) {
  sql("CREATE TABLE t (id int PRIMARY KEY, pad text); INSERT INTO t SELECT i, repeat('p', 400) FROM "
      "generate_series(1, 20000) i");
  auto with = config();
  with.chunk_size = ByteSize::gib(1);
  open(with);
  prepare();
  const auto table = schemas().at(0);
  const auto plan = must(snapshot_->plan(table, {}));
  const auto reader = must(snapshot_->open_reader());
  std::stop_source stop;
  const auto stopped = reader->read(
      table, plan.chunks.at(0),
      [&](Batch) -> Status {
        stop.request_stop();
        return {};
      },
      stop.get_token());
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Error::Code::cancelled);
  must(reader->read(table, plan.chunks.at(0),
                    [&](Batch batch) -> Status {
                      replica_.copy(batch);
                      return {};
                    },
                    {}));
  expect_equal();
}

}  // namespace
}  // namespace maia::postgres
