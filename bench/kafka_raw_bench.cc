// SPDX-License-Identifier: Apache-2.0
// links: rdkafka
// What librdkafka does by itself, for ./dev bench kafka to have beside MAIA: so many records of so many bytes
// into partition 0 of a topic, in transactions of so many records. Prints the milliseconds that it took.
#include <fmt/format.h>
#include <rdkafka.h>

#include <chrono>
#include <cstdlib>
#include <string>

namespace {

constexpr int kPatienceMs = 60'000;

[[noreturn]] void fail(const char* what, const char* why) {
  fmt::print(stderr, "{}: {}\n", what, why);
  std::exit(1);
}

void must(const char* what, rd_kafka_error_t* error) {
  if (error) fail(what, rd_kafka_error_string(error));
}

rd_kafka_t* producer(const char* brokers) {
  auto* conf = rd_kafka_conf_new();
  char why[512];
  const std::pair<const char*, const char*> settings[] = {{"bootstrap.servers", brokers},
                                                          {"transactional.id", "bench-raw"},
                                                          {"batch.size", "1000000"},
                                                          {"compression.codec", "none"},
                                                          {"queue.buffering.max.kbytes", "65536"},
                                                          {"queue.buffering.max.messages", "0"}};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) fail(name, why);
  }
  auto* made = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (!made) fail("make a producer", why);
  must("begin", rd_kafka_init_transactions(made, kPatienceMs));
  return made;
}

void send(rd_kafka_t* to, const char* topic, std::string& value) {
  for (;;) {
    const auto error = rd_kafka_producev(to, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                         RD_KAFKA_V_VALUE(value.data(), value.size()),
                                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (!error) return;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail("send", rd_kafka_err2str(error));
    rd_kafka_poll(to, 100);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 6) fail("usage", "kafka_raw_bench BROKERS TOPIC RECORDS BYTES RECORDS_A_TRANSACTION");
  const auto number = [&](int word) { return std::strtoull(words[word], nullptr, 10); };
  const auto records = number(3);
  std::string value(number(4), 'v');
  auto* const to = producer(words[1]);
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t sent = 0; sent < records;) {
    must("begin a transaction", rd_kafka_begin_transaction(to));
    for (std::size_t i = 0; i < number(5) && sent < records; ++i, ++sent) {
      send(to, words[2], value);
      rd_kafka_poll(to, 0);
    }
    must("commit", rd_kafka_commit_transaction(to, kPatienceMs));
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  fmt::print("{}\n", std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  rd_kafka_destroy(to);
  return 0;
}
