// SPDX-License-Identifier: Apache-2.0
#include "mysql_transfers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace maia::tests {
namespace {

using testing::MysqlProduct;

constexpr int kWriters = 2;
constexpr std::chrono::seconds kAwait{60};

std::string begin_of(MysqlProduct product, int writer) {
  if (writer == 0) return "begin";
  return fmt::format(
      fmt::runtime(product == MysqlProduct::mariadb ? "set gtid_domain_id = {}; begin"
                                                    : "set gtid_next = 'automatic:writer_{}'; begin"),
      writer);
}

}  // namespace

Status MysqlTransfers::prepare(testing::MysqlServer& server) {
  std::string values;
  for (int id = 1; id <= kAccounts; ++id)
    values += fmt::format("{}({}, 'Zoë {}', 1000)", values.empty() ? "" : ", ", id, id);
  return server.execute(
      "create database shop; use shop; create table account (id int primary key, name varchar(40), cents "
      "bigint not null); create table transfer (id bigint primary key auto_increment, low int, high int, "
      "cents int); insert into account values " +
      values);
}

MysqlTransfers::MysqlTransfers(testing::MysqlServer& server) : server_(server) {
  for (int i = 0; i < kWriters; ++i) writers_.emplace_back([this, i] { write(i); });
}

void MysqlTransfers::stop() {
  done_ = true;
  for (auto& writer : writers_) writer.join();
  writers_.clear();
}

Status MysqlTransfers::await(int transfers) const {
  const auto until = std::chrono::steady_clock::now() + kAwait;
  while (made_ < transfers) {
    if (std::chrono::steady_clock::now() > until)
      return Error{.code = Error::Code::timeout, .message = fmt::format("{} transfers only", made_.load())};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return {};
}

void MysqlTransfers::write(int writer) {
  std::mt19937 random(static_cast<unsigned>(7 + writer));
  const auto begin = begin_of(server_.product(), writer);
  while (!done_) {
    const auto from = 1 + random() % kAccounts, to = 1 + random() % kAccounts, amount = 1 + random() % 9;
    const auto wrote = server_.execute(
        fmt::format("{3}; update account set cents = cents - {2} where id = {0}; update account set cents = "
                    "cents + {2} where id = {1}; insert into transfer (low, high, cents) values ({0}, {1}, "
                    "{2}); savepoint s; delete from account where id in ({0}, {1}); rollback to s; commit",
                    from, to, amount, begin),
        "shop");
    if (wrote.ok()) ++made_;
  }
}

void expect_equal_transfers(testing::MysqlServer& server,
                            const std::function<Result<testing::Rows>(const std::string&)>& copy) {
  for (const std::string sql : {"select count(*), sum(cents), sum(cents * id) from shop.account",
                                "select count(*), max(id), sum(cents * id) from shop.transfer",
                                "select id, name, cents from shop.account where id % 97 = 0 order by id"}) {
    const auto ours = server.query(sql), theirs = copy(sql);
    ASSERT_TRUE(ours.ok() && theirs.ok()) << sql;
    EXPECT_EQ(*ours, *theirs) << sql;
  }
  const auto sum = copy("select sum(cents) from shop.account");
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ((*sum)[0][0], std::to_string(MysqlTransfers::kAccounts * 1000));
}

}  // namespace maia::tests
