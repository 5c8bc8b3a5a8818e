// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/mysql_server.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "maia/testing/server_place.h"
#include "maia/testing/unprivileged.h"

namespace maia::testing {
namespace {

namespace fs = std::filesystem;

constexpr auto kStartLimit = std::chrono::seconds(120);
constexpr auto kStopLimit = std::chrono::seconds(60);
constexpr auto kFollowLimit = std::chrono::seconds(120);

/// MySQL is of another release of Debian, and runs with that release's loader and libraries.
std::vector<std::string> server_program(MysqlProduct product) {
  if (product == MysqlProduct::mariadb) return {"/usr/sbin/mariadbd", "--no-defaults"};
  const auto tree = dependencies() / "mysql-9.7" / "usr";
  const auto libraries = tree / "lib" / "x86_64-linux-gnu";
  return {(libraries / "ld-linux-x86-64.so.2").string(),
          "--library-path",
          libraries.string(),
          (tree / "sbin" / "mysqld").string(),
          "--no-defaults",
          "--basedir=" + tree.string(),
          "--lc-messages-dir=" + (tree / "share" / "mysql").string()};
}

Status find_program(MysqlProduct product) {
  const auto program = server_program(product);
  std::error_code ignored;
  if (fs::exists(program[product == MysqlProduct::mariadb ? 0 : 3], ignored)) return {};
  return Error{.code = Error::Code::unavailable,
               .message = "there is no " + std::string(to_string(product)) + " server for the tests",
               .hint = "./dev setup installs it"};
}

std::map<std::string, std::string> settings_of(MysqlProduct product) {
  std::map<std::string, std::string> settings{
      {"bind-address", "127.0.0.1"},
      {"skip-name-resolve", "ON"},
      {"max-connections", "100"},
      {"server-id", "1"},
      {"log-bin", "binlog"},
      {"binlog-format", "ROW"},
      {"binlog-row-metadata", "FULL"},
      {"innodb-buffer-pool-size", "64M"},
      {"innodb-flush-log-at-trx-commit", "2"},  // a killed process loses no page of the system's cache
      {"sync-binlog", "0"},
  };
  if (product == MysqlProduct::mariadb) {
    settings["gtid-strict-mode"] = "ON";
    settings["innodb-log-file-size"] = "16M";
  } else {
    settings["gtid-mode"] = "ON";
    settings["enforce-gtid-consistency"] = "ON";
    settings["innodb-redo-log-capacity"] = "16M";
    settings["mysqlx"] = "OFF";
    settings["secure-file-priv"] = "NULL";  // the package's directory for files is not there
  }
  return settings;
}

/// A server that starts removes the temporary files of any other in the same directory, also of one that
/// runs.
std::string temporary_directory(const fs::path& data) { return data.parent_path().string(); }

Status initialize(MysqlProduct product, const fs::path& data) {
  std::vector<std::string> command;
  if (product == MysqlProduct::mariadb) {
    command = {"mariadb-install-db", "--no-defaults",  "--auth-root-authentication-method=normal",
               "--skip-test-db",     "--skip-log-bin", "--innodb-log-file-size=16M"};
  } else {
    command = server_program(product);
    command.insert(command.end(), {"--initialize-insecure", "--innodb-redo-log-capacity=16M"});
  }
  command.insert(command.end(), {"--datadir=" + data.string(), "--tmpdir=" + temporary_directory(data)});
  return ChildProcess::run(unprivileged(std::move(command), {dependencies(), data.parent_path()}));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.') {
      out += c;
      continue;
    }
    constexpr char kDigits[] = "0123456789ABCDEF";
    out += {'%', kDigits[static_cast<unsigned char>(c) >> 4], kDigits[static_cast<unsigned char>(c) & 15]};
  }
  return out;
}

}  // namespace

std::string_view to_string(MysqlProduct product) {
  return product == MysqlProduct::mariadb ? "mariadb" : "mysql";
}

Result<std::unique_ptr<MysqlServer>> MysqlServer::start(const Options& options) {
  MAIA_TRY(find_program(options.product));
  auto place = MAIA_TRY(make_kept_directory(to_string(options.product), "pid"));
  std::unique_ptr<MysqlServer> server(
      new MysqlServer(options, place.path, place.input, std::move(place.keeper)));
  MAIA_TRY(give_to_unprivileged(place.path));
  MAIA_TRY(server->make_data());
  for (int attempt = 1;; ++attempt) {
    server->port_ = choose_port();
    auto started = server->start_process();
    if (started.ok()) break;
    const bool port_taken = server->log_tail().find("Address already in use") != std::string::npos;
    if (!port_taken || attempt == 5) return std::move(started).error();
  }
  // By name `localhost` is the socket only.
  MAIA_TRY(
      server->execute("set sql_log_bin = 0; create user if not exists root@'127.0.0.1'; "
                      "grant all on *.* to root@'127.0.0.1' with grant option"));
  return server;
}

MysqlServer::~MysqlServer() {
  kill9();
  close(keeper_input_);
  keeper_.wait(kStopLimit);
}

Status MysqlServer::make_data() {
  MAIA_TRY(make_from_template(options_.product == MysqlProduct::mariadb ? "mariadb" : "mysql-9.7",
                              data_directory(),
                              [&] { return initialize(options_.product, data_directory()); }));
  std::error_code ignored;
  fs::remove(data_directory() / "auto.cnf", ignored);  // by which MySQL would be the same server as others
  return {};
}

Status MysqlServer::start_process() {
  auto command = server_program(options_.product);
  auto settings = settings_of(options_.product);
  for (const auto& [name, value] : options_.settings) settings[name] = value;
  settings["port"] = std::to_string(port_);
  settings["socket"] = socket().string();
  settings["datadir"] = data_directory().string();
  settings["tmpdir"] = temporary_directory(data_directory());
  settings["pid-file"] = (root_ / "pid").string();
  for (const auto& [name, value] : settings) command.push_back(fmt::format("--{}={}", name, value));
  process_ = MAIA_TRY(
      ChildProcess::start({.command = unprivileged(std::move(command), {dependencies(), root_.parent_path()}),
                           .output = root_ / "log"}));
  return await_ready();
}

Status MysqlServer::await_ready() {
  const auto deadline = std::chrono::steady_clock::now() + kStartLimit;
  while (!session().ok()) {
    if (!running() || std::chrono::steady_clock::now() > deadline) {
      return Error{.code = Error::Code::unavailable,
                   .message = std::string(to_string(product())) + " did not start: " + log_tail()};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

std::string MysqlServer::uri_of(std::string_view user, std::string_view password,
                                std::string_view database) const {
  auto uri = "mysql://" + percent_encoded(user);
  if (!password.empty()) uri += ":" + percent_encoded(password);
  return uri + "@127.0.0.1:" + std::to_string(port_) + "/" + percent_encoded(database);
}

std::string MysqlServer::log_tail() const { return tail_of(root_ / "log"); }

Result<MysqlSession> MysqlServer::session(std::string_view database) const {
  return MysqlSession::open("mysql://root@" + percent_encoded(socket().string()) + "/" +
                            percent_encoded(database));
}

Status MysqlServer::execute(std::string_view sql, std::string_view database) {
  return MAIA_TRY(session(database)).execute(sql);
}

Result<Rows> MysqlServer::query(std::string_view sql, std::string_view database) {
  return MAIA_TRY(session(database)).query(sql);
}

Result<std::string> MysqlServer::make_database() {
  auto name = "test_" + std::to_string(++databases_made_);
  MAIA_TRY(execute("create database " + name));
  return name;
}

void MysqlServer::kill9() {
  if (running()) process_->kill9();
}

Status MysqlServer::stop() {
  if (!running()) return {};
  process_->signal(SIGTERM);
  if (process_->wait(kStopLimit)) return {};
  kill9();
  return Error{.code = Error::Code::timeout, .message = "the server did not stop: " + log_tail()};
}

Status MysqlServer::restart() {
  MAIA_TRY(stop());
  return start_process();
}

Status MysqlServer::follow(MysqlServer& primary) {
  const bool mariadb = product() == MysqlProduct::mariadb;
  return execute(fmt::format(
      fmt::runtime(mariadb ? "change master to master_host = '{}', master_port = {}, master_user = 'root', "
                             "master_use_gtid = slave_pos; start slave"
                           : "change replication source to source_host = '{}', source_port = {}, "
                             "source_user = 'root', source_auto_position = 1; start replica"),
      primary.host(), primary.port()));
}

Status MysqlServer::await_all_of(MysqlServer& primary) {
  const bool mariadb = product() == MysqlProduct::mariadb;
  const auto end =
      MAIA_TRY(primary.query(mariadb ? "select @@global.gtid_binlog_pos" : "select @@global.gtid_executed"));
  const auto waited =
      MAIA_TRY(query(fmt::format(fmt::runtime(mariadb ? "select master_gtid_wait('{}', {})"
                                                      : "select wait_for_executed_gtid_set('{}', {})"),
                                 end[0][0].value_or(""), kFollowLimit.count())));
  if (waited[0][0] == "0") return {};
  return Error{.code = Error::Code::timeout,
               .message = "the replica does not get to " + end[0][0].value_or("") + ": " + log_tail()};
}

Status MysqlServer::be_primary() {
  return execute(product() == MysqlProduct::mariadb ? "stop slave; reset slave all"
                                                    : "stop replica; reset replica all");
}

MysqlServer& shared_mysql(MysqlProduct product) {
  static std::mutex mutex;
  static std::map<MysqlProduct, std::unique_ptr<MysqlServer>> servers;
  const std::lock_guard lock(mutex);
  auto& server = servers[product];
  if (server) return *server;
  auto started = MysqlServer::start({.product = product, .settings = {}});
  if (!started.ok()) {
    std::fprintf(stderr, "%s\n%s\n", started.error().message.c_str(), started.error().hint.c_str());
    std::abort();
  }
  server = std::move(started).value();
  return *server;
}

}  // namespace maia::testing
