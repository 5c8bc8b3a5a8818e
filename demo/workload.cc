// SPDX-License-Identifier: Apache-2.0
#include "workload.h"

#include <fmt/format.h>

#include <random>

#include "maia/testing/postgres_session.h"

namespace maia::demo {
namespace {

constexpr std::chrono::milliseconds kPause{2};

/// One transaction of the shop; `n` is unique over all people.
std::string transaction(const ShopSize& size, std::mt19937& random, std::uint64_t n) {
  const auto any = [&](std::uint64_t below) { return random() % below; };
  const auto order = 1 + any(size.orders);
  switch (any(10)) {
    case 0:
    case 1:
    case 2: {
      const auto id = size.orders + 1 + n;
      return fmt::format(
          "begin; insert into orders (id, customer_id, total, note) values ({0}, {1}, {2}.5, 'live order "
          "{0}');"
          "insert into order_items select {0}, line, md5((line * {3} % {4} + 1)::text)::uuid, 2, 9.99"
          " from generate_series(1, 3) line; commit",
          id, 1 + any(size.customers()), any(500), 1 + any(size.products()), size.products());
    }
    case 3:
    case 4:
      return fmt::format("update orders set status = 'shipped', note = 'on its way' where id = {}", order);
    case 5:
      return fmt::format(
          "update products set price = price + 0.01, updated_at = now() where id = md5('{}')::uuid",
          1 + any(size.products()));
    case 6:
      return fmt::format(
          "update customers set email = 'Moved.{0}@Example.ORG', credit = credit + 1, updated_at = now() "
          "where id = {0}",
          1 + any(size.customers()));
    case 7: return fmt::format("delete from orders where id = {}", order);
    case 8:
      return fmt::format("begin; update orders set total = total + 1000 where id = {}; rollback", order);
    default: return fmt::format("update order_items set quantity = quantity + 1 where order_id = {}", order);
  }
}

}  // namespace

Workload::Workload(std::string uri, const ShopSize& size, int people) : uri_(std::move(uri)), size_(size) {
  for (int person = 0; person < people; ++person) {
    people_.emplace_back([this, person](std::stop_token stop) {
      auto lived = live(person, stop);
      if (lived.ok()) return;
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(lived).error();
    });
  }
}

Status Workload::live(int person, std::stop_token stop) {
  auto session = MAIA_TRY(testing::PostgresSession::open(uri_));
  std::mt19937 random(static_cast<std::uint32_t>(person));
  for (std::uint64_t n = static_cast<std::uint64_t>(person); !stop.stop_requested(); n += 100) {
    MAIA_TRY(session.execute(transaction(size_, random, n)));
    ++transactions_;
    std::this_thread::sleep_for(kPause);
  }
  return {};
}

Status Workload::stop() {
  for (auto& person : people_) person.request_stop();
  people_.clear();
  if (error_) return *error_;
  return {};
}

}  // namespace maia::demo
