// SPDX-License-Identifier: Apache-2.0
// A run that was killed while its slot was being made: the server goes on making it.
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

class HalfMadeSlotTest : public SourceTest {
 protected:
  /// A slot that cannot be completed before `blocker_` ends, asked for by a session of its own.
  void make_half_a_slot() {
    sql("CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE blocked ()");
    auto with = config();
    with.slot = "half_" + database_;
    with.publication = "half_" + database_;
    sql("CREATE PUBLICATION " + with.publication + " FOR TABLE customers");
    must(blocker_->execute("BEGIN"));
    must(blocker_->execute("INSERT INTO blocked DEFAULT VALUES"));
    maker_ = std::jthread([this, name = with.slot] {
      static_cast<void>(server().execute(
          "SELECT pg_create_logical_replication_slot('" + name + "', 'pgoutput')", database_));
    });
    while (value(state_of(with.slot)).empty()) std::this_thread::yield();
    open(std::move(with));
  }
  /// The process that makes the slot, once it does and as long as it is not complete.
  static std::string state_of(const std::string& slot) {
    return "SELECT active_pid FROM pg_replication_slots WHERE confirmed_flush_lsn IS NULL AND slot_name = '" +
           slot + "'";
  }
  void SetUp() override {
    SourceTest::SetUp();
    blocker_ = must(testing::PostgresSession::open(server().uri(database_)));
  }

  std::optional<testing::PostgresSession> blocker_;
  std::jthread maker_;
};

TEST_F(HalfMadeSlotTest, a_slot_that_is_completed_meanwhile_is_used) {
  make_half_a_slot();
  std::optional<Result<Source::Prepared>> prepared;
  std::jthread preparing([&] { prepared = source_->prepare({}); });
  must(blocker_->execute("COMMIT"));
  preparing.join();
  const auto got = must(std::move(*prepared));
  EXPECT_FALSE(got.created);
  EXPECT_FALSE(got.from.empty());
}

TEST_F(HalfMadeSlotTest, a_slot_that_vanishes_meanwhile_is_made_anew) {
  make_half_a_slot();
  std::optional<Result<Source::Prepared>> prepared;
  std::jthread preparing([&] { prepared = source_->prepare({}); });
  sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'half_" +
      database_ + "'");
  maker_.join();
  must(blocker_->execute("ROLLBACK"));
  preparing.join();
  EXPECT_TRUE(must(std::move(*prepared)).created);
}

}  // namespace
}  // namespace maia::postgres
