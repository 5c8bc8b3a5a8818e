// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "maia/connectors/postgres/destination_fixture.h"
#include "maia/testing/postgres_session.h"

namespace maia::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Passes one TCP connection on to a server, and on request loses either a COMMIT or the answer to it.
class Proxy {
 public:
  enum class Loss { none, request, answer };

  explicit Proxy(int server_port) : server_port_(server_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { pass(); });
  }
  ~Proxy() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  int port() const { return port_; }
  void lose(Loss loss) { loss_ = loss; }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  void pass() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto address = loopback(server_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      pass(client, server);
    ::close(server);
    ::close(client);
  }
  void pass(int client, int server) {
    std::array<char, 65536> buffer;
    bool losing = false;
    std::array<pollfd, 2> sockets = {{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    while (::poll(sockets.data(), sockets.size(), -1) > 0) {
      for (const bool from_client : {true, false}) {
        if (sockets[from_client ? 0 : 1].revents == 0) continue;
        const auto size = ::read(from_client ? client : server, buffer.data(), buffer.size());
        if (size <= 0) return;
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
        if (from_client && bytes.find(std::string_view("commit\0", 7)) != bytes.npos) {
          if (loss_ == Loss::request) return;
          losing = loss_ == Loss::answer;
        }
        // The server's first byte after the request says that it is done.
        if (!from_client && losing) return;
        if (::write(from_client ? server : client, bytes.data(), bytes.size()) != size) return;
      }
    }
  }

  int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<Loss> loss_{Loss::none};
  std::thread thread_;
};

class DurabilityTest : public DestinationTest {
 protected:
  TestTable table_{{"public", "t"}, {column_of("id", Type::of(TypeId::int32))}, {0}};

  /// Commits one row through a proxy that loses something; the error.
  Error commit_with(Proxy::Loss loss) {
    prepare(table_);
    Proxy proxy(server().port());
    auto config = config_for(server(), database);
    config.connection.port = static_cast<std::uint16_t>(proxy.port());
    destination = std::make_unique<PostgresDestination>(config);
    const auto through = destination->open("p");
    EXPECT_TRUE(through.ok());
    EXPECT_TRUE(destination->begin().ok());
    table_.insert({"1"});
    EXPECT_OK(destination->write(std::vector{table_.delivery()}));
    proxy.lose(loss);
    const auto committed = destination->commit({{5}, {"at 5"}, {}});
    EXPECT_FALSE(committed.ok());
    destination->rollback();
    return committed.ok() ? Error{} : committed.error();
  }
};

TEST_F(DurabilityTest, a_lost_answer_to_a_commit_is_an_unknown_outcome_that_reopening_resolves) {
  const auto error = commit_with(Proxy::Loss::answer);
  EXPECT_EQ(error.code, Error::Code::unknown_outcome);
  EXPECT_EQ(error.recovery, Recovery::reconnect);
  destination = open_destination();
  EXPECT_EQ(opened.checkpoint.sequence.value, 5u);
  EXPECT_EQ(opened.checkpoint.position.token, "at 5");
  EXPECT_THAT(rows("select * from t"), ElementsAre("1"));
}

TEST_F(DurabilityTest, a_commit_that_did_not_arrive_is_an_unknown_outcome_too_and_left_nothing) {
  const auto error = commit_with(Proxy::Loss::request);
  EXPECT_EQ(error.code, Error::Code::unknown_outcome);
  EXPECT_EQ(error.recovery, Recovery::reconnect);
  destination = open_destination();
  EXPECT_EQ(opened.checkpoint.sequence.value, 1u);
  EXPECT_THAT(rows("select * from t"), IsEmpty());
}

TEST_F(DurabilityTest, taking_the_epoch_waits_for_the_commit_of_a_run_whose_backend_still_lives) {
  prepare(table_);
  auto old_backend = *testing::PostgresSession::open(server().uri(database));
  EXPECT_OK(old_backend.execute("begin; update maia.checkpoint set sequence = 9, position = 'nine'"));
  std::thread later([&] {
    // Only once the new run waits for the row does the old one commit.
    auto watch = *testing::PostgresSession::open(server().uri(database));
    while (*watch.value("select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                        "and application_name = 'maia/p'") == "0") {
    }
    EXPECT_OK(old_backend.execute("commit"));
  });
  destination = open_destination();
  later.join();
  EXPECT_EQ(opened.checkpoint.sequence.value, 9u);
  EXPECT_EQ(opened.checkpoint.position.token, "nine");
}

TEST_F(DurabilityTest, a_broken_session_in_the_middle_of_a_write_asks_for_a_new_one) {
  prepare(table_);
  for (const int count : {1, 500, 6000}) {
    destination = open_destination();
    ASSERT_TRUE(destination->begin().ok());
    table_.restart();
    for (int i = 0; i < count; ++i) table_.insert({std::to_string(i)});
    execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'maia/p'");
    const auto written = destination->write(std::vector{table_.delivery()});
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, Error::Code::unavailable);
    EXPECT_EQ(written.error().recovery, Recovery::reconnect);
    destination->rollback();
  }
  destination = open_destination();
  EXPECT_THAT(rows("select * from t"), IsEmpty());
}

TEST_F(DurabilityTest, what_a_commit_has_returned_for_survives_the_death_of_the_server) {
  const auto own = testing::PostgresServer::start();
  ASSERT_TRUE(own.ok()) << own.error().message;
  EXPECT_OK((*own)->execute("alter role postgres set synchronous_commit = off"));
  PostgresDestination there(config_for(**own, "postgres"));
  ASSERT_TRUE(there.open("p").ok());
  ASSERT_TRUE(there.begin().ok());
  EXPECT_OK(there.commit({{1}, {"x"}, {}}));
  EXPECT_OK((*own)->kill9());
  EXPECT_OK((*own)->restart());
  const auto kept = (*own)->query("select sequence from maia.checkpoint where pipeline = 'p'");
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_EQ(kept->at(0).at(0), "1");
}

TEST_F(DurabilityTest, a_user_without_privileges_is_told_the_statements) {
  execute("create role poor login");
  execute("drop schema maia cascade");
  auto config = config_for(server(), database);
  config.connection.user = "poor";
  PostgresDestination poor(config);
  const auto result = poor.open("p");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Error::Code::check_failed);
  EXPECT_THAT(result.error().hint, HasSubstr("CREATE SCHEMA maia AUTHORIZATION \"poor\";"));
  const auto findings = *PostgresDestination(config).check();
  std::string fixes;
  for (const auto& finding : findings) fixes += finding.fix + "\n";
  EXPECT_THAT(fixes, HasSubstr("CREATE SCHEMA maia AUTHORIZATION \"poor\";"));
  EXPECT_THAT(fixes, HasSubstr("GRANT CREATE ON SCHEMA \"public\" TO \"poor\";"));
  EXPECT_THAT(fixes, HasSubstr("GRANT SET ON PARAMETER session_replication_role TO \"poor\";"));
  // What check asks for is enough.
  execute("create schema maia authorization poor; grant create on schema public to poor");
  destination = std::make_unique<PostgresDestination>(config);
  ASSERT_TRUE(destination->open("p").ok());
  sequence = 0;
  prepare(table_);
  for (int i = 0; i < 6000; ++i) table_.insert({std::to_string(i)});
  EXPECT_OK(write({table_.delivery()}));
  EXPECT_THAT(rows("select count(*) from t"), ElementsAre("6000"));
  destination.reset();
  execute("drop owned by poor cascade; drop role poor");
}

TEST_F(DurabilityTest, drop_forgets_the_pipeline_and_keeps_the_rows) {
  prepare(table_);
  table_.insert({"1"});
  EXPECT_OK(write({table_.delivery()}));
  const auto removed = destination->drop("p");
  ASSERT_TRUE(removed.ok()) << removed.error().message;
  EXPECT_THAT(*removed, ElementsAre("ownership of public.t", "the checkpoint of p"));
  EXPECT_THAT(rows("select * from t"), ElementsAre("1"));
  EXPECT_THAT(rows("select pipeline from maia.checkpoint union all select pipeline from maia.owner"),
              IsEmpty());
  EXPECT_THAT(*destination->drop("p"), IsEmpty());
}

}  // namespace
}  // namespace maia::postgres
