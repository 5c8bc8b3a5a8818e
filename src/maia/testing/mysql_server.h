// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/testing/child_process.h"
#include "maia/testing/mysql_session.h"

namespace maia::testing {

enum class MysqlProduct : std::uint8_t {
  mariadb,  ///< 10.11 of the system's packages
  mysql,    ///< 9.7 of `$MAIA_DEPS/mysql-9.7`
};
/// "mariadb" or "mysql", for names of tests.
std::string_view to_string(MysqlProduct product);

/// A scratch MariaDB or MySQL, on a loopback port of its own and a Unix socket, with a row-based binary log,
/// its full metadata and GTIDs. Lives and dies as PostgresServer does. A kill of the process loses no
/// committed transaction (the log is written, though not flushed to the disk). Not thread-safe.
class MysqlServer {
 public:
  struct Options {
    MysqlProduct product = MysqlProduct::mariadb;
    std::map<std::string, std::string> settings;  ///< of its command line, over those of the fixture
  };
  static Result<std::unique_ptr<MysqlServer>> start(const Options& options);

  MysqlServer(const MysqlServer&) = delete;
  MysqlServer& operator=(const MysqlServer&) = delete;
  ~MysqlServer();

  /// Connection URI for root, who has no password, over TCP.
  std::string uri(std::string_view database = "") const { return uri_of("root", "", database); }
  std::string uri_of(std::string_view user, std::string_view password, std::string_view database) const;
  std::string host() const { return "127.0.0.1"; }
  int port() const { return port_; }
  MysqlProduct product() const { return options_.product; }
  std::filesystem::path socket() const { return root_ / "socket"; }
  std::filesystem::path data_directory() const { return root_ / "data"; }
  std::string log_tail() const;

  /// On a connection made for it.
  Status execute(std::string_view sql, std::string_view database = "");
  Result<Rows> query(std::string_view sql, std::string_view database = "");
  Result<MysqlSession> session(std::string_view database = "") const;
  /// Makes an empty database and gives its name.
  Result<std::string> make_database();

  /// Becomes a replica by GTID of another of the same product, which needs another `server-id`.
  Status follow(MysqlServer& primary);
  /// Waits until it has everything that has committed at the other by now.
  Status await_all_of(MysqlServer& primary);
  /// Follows nobody any more.
  Status be_primary();

  void kill9();
  Status stop();
  /// Starts it again on the same port and directory, after a stop if it runs, and waits until it answers.
  Status restart();
  bool running() { return process_ && !process_->poll(); }

 private:
  MysqlServer(Options options, std::filesystem::path root, int keeper_input, ChildProcess keeper)
      : options_(std::move(options)),
        root_(std::move(root)),
        keeper_input_(keeper_input),
        keeper_(std::move(keeper)) {}
  Status make_data();
  Status start_process();
  Status await_ready();

  Options options_;
  std::filesystem::path root_;  ///< socket, pid, log, temporary files, and data/
  int port_ = 0;
  int databases_made_ = 0;
  int keeper_input_;  ///< closing it tells the keeper to end the server and remove `root_`
  ChildProcess keeper_;
  std::optional<ChildProcess> process_;
};

/// The server that all tests of one program share, as shared_postgres().
MysqlServer& shared_mysql(MysqlProduct product);

}  // namespace maia::testing
