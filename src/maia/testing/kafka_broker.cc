// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/kafka_broker.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "maia/testing/server_place.h"

namespace maia::testing {
namespace {

namespace fs = std::filesystem;

constexpr auto kStartLimit = std::chrono::seconds(120);
constexpr auto kStopLimit = std::chrono::seconds(60);
constexpr std::string_view kStarted = "Kafka Server started";

/// A small heap, and a compiler and a collector that start at once.
std::vector<std::string> java(const std::string& version) {
  return {"java",
          "-Xmx256m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-cp",
          (dependencies() / ("kafka-" + version)).string() + "/*"};
}

void write_properties(const fs::path& file, const std::map<std::string, std::string>& settings) {
  std::ofstream out(file, std::ios::trunc);
  for (const auto& [name, value] : settings) out << name << "=" << value << "\n";
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Result<std::unique_ptr<KafkaBroker>> KafkaBroker::start(const Options& options) {
  std::error_code ignored;
  if (!fs::exists(dependencies() / ("kafka-" + options.version), ignored)) {
    return Error{.code = Error::Code::unavailable,
                 .message = "there is no Kafka " + options.version + " for the tests",
                 .hint = "./dev setup installs it"};
  }
  auto place = MAIA_TRY(make_kept_directory("kafka", "pid"));
  std::unique_ptr<KafkaBroker> broker(
      new KafkaBroker(options, place.path, place.input, std::move(place.keeper)));
  MAIA_TRY(broker->format());
  for (int attempt = 1;; ++attempt) {
    broker->port_ = choose_port();
    broker->inner_port_ = choose_port();
    broker->controller_port_ = choose_port();
    broker->write_settings();
    auto started = broker->start_process();
    if (started.ok()) return broker;
    const bool port_taken = broker->log_tail().find("Address already in use") != std::string::npos;
    if (!port_taken || attempt == 5) return std::move(started).error();
  }
}

KafkaBroker::~KafkaBroker() {
  kill9();
  close(keeper_input_);
  keeper_.wait(kStopLimit);
}

void KafkaBroker::write_settings() const {
  const auto brokers = "CLIENT://" + address() + ",INNER://" + inner_address();
  const auto controller = "CONTROLLER://127.0.0.1:" + std::to_string(controller_port_);
  std::map<std::string, std::string> settings{
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"controller.quorum.voters", "1@127.0.0.1:" + std::to_string(controller_port_)},
      {"listeners", brokers + "," + controller},
      {"advertised.listeners", brokers},
      {"controller.listener.names", "CONTROLLER"},
      {"inter.broker.listener.name", "INNER"},
      {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,INNER:PLAINTEXT,CLIENT:" + options_.protocol},
      {"log.dirs", (root_ / "data").string()},
      {"super.users", "User:ANONYMOUS"},
      {"auto.create.topics.enable", "false"},
      {"offsets.topic.replication.factor", "1"},
      {"offsets.topic.num.partitions", "1"},
      {"transaction.state.log.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
      {"transaction.state.log.num.partitions", "1"},
      {"group.initial.rebalance.delay.ms", "0"},
      // The controller takes a killed broker back only when it has given up the one before.
      {"broker.session.timeout.ms", "3000"},
      {"broker.heartbeat.interval.ms", "500"},
  };
  for (const auto& [name, value] : options_.settings) settings[name] = value;
  write_properties(root_ / "server.properties", settings);
}

Status KafkaBroker::format() {
  return make_from_template("kafka-" + options_.version, root_ / "data", [this]() -> Status {
    write_settings();
    auto command = java(options_.version);
    command.insert(command.end(), {"kafka.tools.StorageTool", "format", "-t", "bWFpYS10ZXN0LWthZmthMQ", "-c",
                                   (root_ / "server.properties").string()});
    return ChildProcess::run(command);
  });
}

Status KafkaBroker::start_process() {
  fs::remove(root_ / "log");
  auto command = java(options_.version);
  command.insert(command.end(), {"kafka.Kafka", (root_ / "server.properties").string()});
  process_ = MAIA_TRY(ChildProcess::start({.command = std::move(command), .output = root_ / "log"}));
  std::ofstream(root_ / "pid") << process_->pid() << "\n";
  return await_ready();
}

Status KafkaBroker::await_ready() {
  const auto deadline = std::chrono::steady_clock::now() + kStartLimit;
  while (text_of(root_ / "log").find(kStarted) == std::string::npos) {
    if (!running() || std::chrono::steady_clock::now() > deadline) {
      return Error{.code = Error::Code::unavailable, .message = "Kafka did not start: " + log_tail()};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

std::string KafkaBroker::log_tail() const { return tail_of(root_ / "log"); }

fs::path KafkaBroker::log_of(const std::string& topic, std::int32_t partition) const {
  return root_ / "data" / (topic + "-" + std::to_string(partition)) / "00000000000000000000.log";
}

void KafkaBroker::kill9() {
  if (running()) process_->kill9();
}

Status KafkaBroker::restart() {
  kill9();
  return start_process();
}

KafkaBroker& shared_kafka(std::string_view version) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<KafkaBroker>, std::less<>> brokers;
  const std::lock_guard lock(mutex);
  auto& broker = brokers[std::string(version)];
  if (broker) return *broker;
  auto started = KafkaBroker::start({.version = std::string(version), .settings = {}});
  if (!started.ok()) {
    std::fprintf(stderr, "%s\n%s\n", started.error().message.c_str(), started.error().hint.c_str());
    std::abort();
  }
  broker = std::move(started).value();
  return *broker;
}

}  // namespace maia::testing
