// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/testing/child_process.h"
#include "maia/testing/postgres_session.h"

namespace maia::testing {

/// A scratch PostgreSQL of a given major version, on a loopback port of its own and a Unix socket. Ready for
/// logical replication. The destructor stops it and removes its directory; a keeper process does the same if
/// the test is killed, so that no server outlives its test. Runs as an unprivileged user when the test is
/// root. Not thread-safe; several servers may run at once.
class PostgresServer {
 public:
  struct Options {
    int version = 15;  ///< 15 from the system's packages, 16 to 18 from `$MAIA_DEPS/postgres-<version>`
    std::map<std::string, std::string> settings;  ///< postgresql.conf, over the defaults of the fixture
    std::vector<std::string> initdb_arguments;    ///< further ones
    std::string authentication = "trust";         ///< of TCP connections; the Unix socket always trusts
    std::string password;                         ///< of the superuser `postgres`; goes into `uri`
  };
  static Result<std::unique_ptr<PostgresServer>> start(const Options& options);
  static Result<std::unique_ptr<PostgresServer>> start() { return start(Options{}); }

  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  /// Connection URI for the superuser over TCP.
  std::string uri(std::string_view database = "postgres") const;
  std::string host() const { return "127.0.0.1"; }
  int port() const { return port_; }
  int version() const { return options_.version; }
  const std::filesystem::path& socket_directory() const { return root_; }
  std::filesystem::path data_directory() const { return root_ / "data"; }
  /// The end of the server's log, for messages of failed tests.
  std::string log_tail() const;

  /// On a connection made for it.
  Status execute(std::string_view sql, std::string_view database = "postgres");
  Result<Rows> query(std::string_view sql, std::string_view database = "postgres");
  /// Makes an empty database and gives its name.
  Result<std::string> make_database();

  /// As a power cut looks to the cluster: SIGKILL for the postmaster and every process of it.
  Status kill9();
  /// `pg_ctl stop -m immediate`: no checkpoint, recovery at the next start.
  Status stop_immediately();
  /// `pg_ctl stop -m fast`: sessions are ended, a checkpoint is written.
  Status stop();
  /// Starts it again on the same port and directory, after a fast stop if it runs, and waits until it
  /// answers.
  Status restart();
  bool running() { return process_ && !process_->poll(); }

 private:
  PostgresServer(Options options, std::filesystem::path binaries, std::filesystem::path root,
                 int keeper_input, ChildProcess keeper);
  Status make_cluster();
  Status write_settings();
  Status start_process();
  Status await_ready();
  Status end_process(int signal);

  Options options_;
  std::filesystem::path binaries_;
  std::filesystem::path root_;  ///< sockets, log, and data/
  int port_ = 0;
  int databases_made_ = 0;
  int keeper_input_;  ///< closing it tells the keeper to end the server and remove `root_`
  ChildProcess keeper_;
  std::optional<ChildProcess> process_;
};

/// The server that all tests of one program share, started at first use and stopped at its end. A failure to
/// start ends the program with the reason. Use it with `make_database`, unless a test kills its server.
PostgresServer& shared_postgres(int version = 15);

}  // namespace maia::testing
