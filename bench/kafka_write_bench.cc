// SPDX-License-Identifier: Apache-2.0
// links: maia_kafka maia_testing
// Rows per second into a Kafka topic, by rows per transaction: through the destination, as JSON envelopes,
// and beside it in the same run librdkafka alone with records of the same size, in transactions of the same
// size.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "maia/connectors/kafka/destination.h"
#include "maia/testing/kafka_broker.h"
#include "must.h"
#include "orders.h"

namespace {

using namespace maia;
using namespace maia::kafka;
using namespace maia::bench;
using Clock = std::chrono::steady_clock;

Batch rows(const TableTarget& target, std::size_t count) {
  Batch batch(target.schema);
  for (std::size_t i = 0; i < count; ++i) push_row(batch, Op::insert, static_cast<std::int64_t>(i));
  return batch;
}

double per_second(std::size_t rows, Clock::time_point start) {
  return static_cast<double>(rows) / std::chrono::duration<double>(Clock::now() - start).count();
}

double through_destination(KafkaDestination& to, const TableTarget& target, const Batch& batch,
                           std::size_t transactions) {
  const auto start = Clock::now();
  const Transaction transaction{
      .position = {"0/16B3748"}, .id = "743", .committed_at = 1, .first_ordinal = 0};
  const Delivery delivery{.target = &target, .batch = &batch, .transactions = std::span(&transaction, 1)};
  for (std::size_t i = 0; i < transactions; ++i) {
    must(to.begin());
    must(to.prepare(target));
    must(to.write(std::span(&delivery, 1)));
    must(to.commit({.sequence = {i}, .position = transaction.position, .facts = {}}));
  }
  return per_second(transactions * batch.rows(), start);
}

double alone(Producer& producer, std::size_t rows, std::size_t transactions) {
  const std::string topic = "bench.public.orders";
  const std::string value(640, 'v');
  const std::pair<std::string_view, std::string_view> headers[] = {
      {"maia.op_id", "0/16B3748/1234"},
      {"traceparent", "00-00112233445566778899aabbccddeeff-0011223344556677-01"},
      {"content-type", "application/json"}};
  const auto start = Clock::now();
  for (std::size_t i = 0; i < transactions; ++i) {
    must(producer.begin());
    for (std::size_t row = 0; row < rows; ++row) {
      const auto key = fmt::format(R"({{"id":{}}})", row);
      must(producer.send({.topic = &topic, .partition = {}, .key = key, .value = value, .headers = headers}));
    }
    must(producer.commit());
  }
  return per_second(rows * transactions, start);
}

}  // namespace

int main() {
  auto broker = must(testing::KafkaBroker::start({.version = "4.1.1", .settings = {}}));
  DestinationConfig config;
  config.connection.brokers = {broker->address()};
  KafkaDestination to(config, "bench", 0, system_clock());
  must(to.open("bench"));
  auto producer = must(Producer::open(config.connection, {.transactional_id = "alone",
                                                          .transaction_timeout = std::chrono::minutes(5),
                                                          .compression = "zstd",
                                                          .largest_record = 1'000'000,
                                                          .memory_bytes = 64U << 20}));
  const auto target = orders("public");
  fmt::print("{:>8} {:>12} {:>18}\n", "rows", "maia", "librdkafka alone");
  for (const auto size : std::initializer_list<std::size_t>{1, 10, 100, 1'000, 10'000, 50'000}) {
    const auto transactions = std::max<std::size_t>(3, std::min<std::size_t>(100, 200'000 / size));
    const auto batch = rows(target, size);
    const auto ours = through_destination(to, target, batch, transactions);
    fmt::print("{:>8} {:>12.0f} {:>18.0f}\n", size, ours, alone(*producer, size, transactions));
    std::fflush(stdout);
  }
  return 0;
}
