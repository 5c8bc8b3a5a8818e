// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/postgres_server.h"

#include <libpq-fe.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "maia/testing/postgres_cluster.h"
#include "maia/testing/server_place.h"
#include "maia/testing/unprivileged.h"

namespace maia::testing {
namespace {

namespace fs = std::filesystem;

constexpr auto kStartLimit = std::chrono::seconds(120);
constexpr auto kStopLimit = std::chrono::seconds(60);

bool alive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return false;
  const auto state = line.rfind(')') + 2;
  return state < line.size() && line[state] != 'Z';
}

std::string quoted_setting(const std::string& value) {
  std::string text = "'";
  for (const char c : value) text += c == '\'' ? std::string("''") : std::string(1, c);
  return text + "'";
}

}  // namespace

PostgresServer::PostgresServer(Options options, fs::path binaries, fs::path root, int keeper_input,
                               ChildProcess keeper)
    : options_(std::move(options)),
      binaries_(std::move(binaries)),
      root_(std::move(root)),
      keeper_input_(keeper_input),
      keeper_(std::move(keeper)) {}

Result<std::unique_ptr<PostgresServer>> PostgresServer::start(const Options& options) {
  auto binaries = MAIA_TRY(postgres_binaries(options.version));
  auto place = MAIA_TRY(make_kept_directory("postgres", "data/postmaster.pid"));
  const auto root = place.path;
  std::unique_ptr<PostgresServer> server(
      new PostgresServer(options, std::move(binaries), root, place.input, std::move(place.keeper)));
  MAIA_TRY(give_to_unprivileged(root));
  MAIA_TRY(server->make_cluster());
  for (int attempt = 1;; ++attempt) {
    server->port_ = choose_port();
    MAIA_TRY(server->write_settings());
    auto started = server->start_process();
    const bool port_taken = server->log_tail().find("Address already in use") != std::string::npos;
    if (started.ok()) break;
    if (!port_taken || attempt == 5) return std::move(started).error();
  }
  if (!options.password.empty()) {
    MAIA_TRY(server->execute("alter role postgres password '" + options.password + "'"));
  }
  return server;
}

PostgresServer::~PostgresServer() {
  [[maybe_unused]] const auto stopped = stop_immediately();
  close(keeper_input_);
  keeper_.wait(kStopLimit);
}

Status PostgresServer::make_cluster() {
  MAIA_TRY(make_postgres_cluster(options_.version, options_.initdb_arguments, data_directory()));
  std::ofstream rules(data_directory() / "pg_hba.conf", std::ios::trunc);
  rules << "local all all trust\nlocal replication all trust\n"
        << "host all all 127.0.0.1/32 " << options_.authentication << "\n"
        << "host replication all 127.0.0.1/32 " << options_.authentication << "\n";
  return {};
}

Status PostgresServer::write_settings() {
  std::map<std::string, std::string> settings{
      {"listen_addresses", "127.0.0.1"},
      {"wal_level", "logical"},
      {"max_replication_slots", "20"},
      {"max_wal_senders", "20"},
      {"max_prepared_transactions", "20"},
      {"max_connections", "100"},
      {"shared_buffers", "32MB"},
      {"fsync", "off"},  // a killed process loses no page of the operating system's cache
  };
  for (const auto& [name, value] : options_.settings) settings[name] = value;
  settings["port"] = std::to_string(port_);
  settings["unix_socket_directories"] = root_.string();
  std::ofstream file(root_ / "data" / "maia.conf", std::ios::trunc);
  for (const auto& [name, value] : settings) file << name << " = " << quoted_setting(value) << "\n";
  std::ofstream main(root_ / "data" / "postgresql.conf", std::ios::trunc);
  main << "include 'maia.conf'\n";
  return {};
}

Status PostgresServer::start_process() {
  auto command = unprivileged({(binaries_ / "postgres").string(), "-D", data_directory().string()},
                              {binaries_, root_.parent_path()});
  process_ = MAIA_TRY(ChildProcess::start({.command = std::move(command), .output = root_ / "log"}));
  return await_ready();
}

Status PostgresServer::await_ready() {
  const auto conninfo = "host=" + root_.string() + " port=" + std::to_string(port_) +
                        " user=postgres dbname=postgres connect_timeout=10";
  const auto deadline = std::chrono::steady_clock::now() + kStartLimit;
  while (PQping(conninfo.c_str()) != PQPING_OK) {
    if (!running() || std::chrono::steady_clock::now() > deadline) {
      return Error{.code = Error::Code::unavailable, .message = "PostgreSQL did not start: " + log_tail()};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

std::string PostgresServer::uri(std::string_view database) const {
  return "postgresql://postgres" + (options_.password.empty() ? "" : ":" + options_.password) +
         "@127.0.0.1:" + std::to_string(port_) + "/" + std::string(database);
}

std::string PostgresServer::log_tail() const { return tail_of(root_ / "log"); }

Status PostgresServer::execute(std::string_view sql, std::string_view database) {
  if (auto rows = query(sql, database); !rows.ok()) return std::move(rows).error();
  return {};
}

Result<Rows> PostgresServer::query(std::string_view sql, std::string_view database) {
  auto session = MAIA_TRY(PostgresSession::open("host=" + root_.string() + " port=" + std::to_string(port_) +
                                                " user=postgres dbname=" + std::string(database)));
  return session.query(sql);
}

Result<std::string> PostgresServer::make_database() {
  auto name = "test_" + std::to_string(++databases_made_);
  MAIA_TRY(execute("create database " + name));
  return name;
}

Status PostgresServer::kill9() {
  if (!running()) return {};
  process_->signal(SIGSTOP);  // so that no child is born between the list and its end
  const auto children = children_of(process_->pid());
  for (const auto child : children) ::kill(child, SIGKILL);
  process_->kill9();
  const auto deadline = std::chrono::steady_clock::now() + kStopLimit;
  for (const auto child : children) {
    while (alive(child) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  return {};
}

Status PostgresServer::end_process(int signal) {
  if (!running()) return {};
  process_->signal(signal);
  if (process_->wait(kStopLimit)) return {};
  MAIA_TRY(kill9());
  return Error{.code = Error::Code::timeout, .message = "PostgreSQL did not stop: " + log_tail()};
}

Status PostgresServer::stop_immediately() { return end_process(SIGQUIT); }

Status PostgresServer::stop() { return end_process(SIGINT); }

Status PostgresServer::restart() {
  MAIA_TRY(stop());
  return start_process();
}

PostgresServer& shared_postgres(int version) {
  static std::mutex mutex;
  static std::map<int, std::unique_ptr<PostgresServer>> servers;
  const std::lock_guard lock(mutex);
  auto& server = servers[version];
  if (server) return *server;
  auto started = PostgresServer::start({.version = version});
  if (!started.ok()) {
    std::fprintf(stderr, "%s\n%s\n", started.error().message.c_str(), started.error().hint.c_str());
    std::abort();
  }
  server = std::move(started).value();
  return *server;
}

}  // namespace maia::testing
