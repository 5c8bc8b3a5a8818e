// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/ledger_workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace maia::testing {
namespace {

constexpr int kCoinAmount = 100;

/// Makes up transactions as lists of statements; the same ones for the same seed.
class Script {
 public:
  Script(const LedgerWorkload::Options& options, std::uint64_t seed) : options_(options), random_(seed) {}

  std::vector<std::string> next() {
    std::vector<std::string> statements{"begin"};
    const int kind = below(200);
    if (kind == 0) {
      transfer(statements, options_.large_transaction_rows);
    } else if (kind < 130) {
      if (below(8) == 0) undone_part(statements);
      transfer(statements, 2 + below(5));
    } else {
      coins(statements);
    }
    statements.emplace_back(below(10) == 0 ? "rollback" : "commit");
    return statements;
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<std::uint64_t>(limit)); }

  void transfer(std::vector<std::string>& statements, int rows) {
    struct Entry {
      int key;
      int amount;
    };
    std::vector<Entry> entries;
    int sum = 0;
    for (int i = 0; i < rows - 1; ++i) {
      entries.push_back({.key = below(options_.accounts), .amount = 1 + below(1000)});
      sum += entries.back().amount;
    }
    entries.push_back({.key = below(options_.accounts), .amount = -sum});
    std::string values;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      values += fmt::format("{}({}, {}, {})", i == 0 ? "" : ",", i, entries[i].key, entries[i].amount);
    }
    statements.push_back(
        "with t as (select nextval('ledger_txn') as txn) insert into ledger select txn, seq, key, "
        "'transfer', val from "
        "t, (values " +
        values + ") v(seq, key, val)");
    // In the order of keys, so that writers wait for each other but never in a circle.
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    for (const auto& entry : entries) {
      statements.push_back(fmt::format("update acct set bal = bal + {}, ver = ver + 1 where key = {}",
                                       entry.amount, entry.key));
    }
  }

  static void undone_part(std::vector<std::string>& statements) {
    statements.insert(
        statements.end(),
        {"savepoint part", "insert into ledger values (nextval('ledger_txn'), 7, 1, 'undone', 1)",
         "update coin set amount = amount + 1 where id in (select id from coin "
         "limit 3 for update skip locked)",
         "rollback to part"});
  }

  void coins(std::vector<std::string>& statements) {
    const auto some = [&](int count) {
      return fmt::format(
          "(select id, amount, note from coin where id > 0 order by md5(id::text || '{}') limit {} for "
          "update skip "
          "locked)",
          below(1'000'000), count);
    };
    // Two coins as they are now, locked. In a statement of its own, because only the next one sees them so: a
    // number may have changed hands since this one began.
    const auto pick = [&](const std::string& columns) {
      return "create temporary table pair on commit drop as select " + columns + " from " + some(2) +
             " c having count(*) = 2";
    };
    switch (below(6)) {
      case 0:  // a new number: an update of the key
        statements.push_back("update coin set id = nextval('coin_id') where id in (select id from " +
                             some(2) + " c)");
        break;
      case 1:  // half of it becomes a new coin
        statements.push_back(
            "with c as " + some(1) +
            ", less as (update coin set amount = coin.amount - trunc(c.amount / 2) from c where "
            "coin.id = c.id returning trunc(c.amount / 2) as half) insert into coin select "
            "nextval('coin_id'), half, 'split' from less");
        break;
      case 2:  // two become one; the other is deleted
        statements.push_back(pick("min(id) as kept, max(id) as gone, sum(amount) as amount"));
        statements.emplace_back("delete from coin using pair where id = gone");
        statements.emplace_back("update coin set amount = pair.amount from pair where id = kept");
        break;
      case 3:  // two change their numbers with each other
        statements.push_back(pick("min(id) as a, max(id) as b"));
        statements.emplace_back("update coin set id = -id from pair where id = a");
        statements.emplace_back("update coin set id = a from pair where id = b");
        statements.emplace_back("update coin set id = b from pair where id = -a");
        break;
      case 4:  // the amount changes hands, the large notes stay as they are
        statements.push_back(pick("min(id) as a, max(id) as b"));
        statements.emplace_back(
            "update coin set amount = amount + case when id = a then 1 else -1 end from pair where id in "
            "(a, b)");
        break;
      default:  // a large note that does not compress
        statements.push_back(
            "update coin set note = (select string_agg(md5(random()::text), '') from "
            "generate_series(1, 200)) where id in (select id from " +
            some(1) + " c)");
    }
  }

  const LedgerWorkload::Options& options_;
  std::mt19937_64 random_;
};

/// Conflicts of writers and a server that goes away are part of the game.
bool is_part_of_the_game(const Error& error) {
  return error.recovery == Recovery::reconnect ||
         error.message.find("deadlock detected") != std::string::npos;
}

}  // namespace

Status LedgerWorkload::prepare(const Options& options) {
  auto session = MAIA_TRY(PostgresSession::open(options.uri));
  const auto sql = fmt::format(
      "create table ledger (txn bigint, seq int, key int not null, op text, val numeric(20,2) not null, "
      "primary key (txn, seq));"
      "create table acct (key int primary key, bal numeric(20,2) not null, ver bigint not null);"
      "create table coin (id bigint primary key, amount numeric(20,4) not null, note text);"
      "insert into ledger select t, s, (t * 7 + s * 13) % {0}, 'open', "
      "case when s < 3 then t % 100 + s + 1 else -(3 * (t % 100) + 6) end "
      "from generate_series(1, {1}) t, generate_series(0, 3) s;"
      "insert into acct select k, coalesce(sum(val), 0), count(val) from generate_series(0, {0} - 1) k "
      "left join ledger on key = k group by k;"
      "insert into coin select c, {3}, (select string_agg(md5(c::text || i), '') from generate_series(1, "
      "200) i) "
      "from generate_series(1, {2}) c;"
      "create sequence ledger_txn start {4}; create sequence coin_id start {5}",
      options.accounts, options.opening_transactions, options.coins, kCoinAmount,
      options.opening_transactions + 1, options.coins + 1);
  return session.execute(sql);
}

void LedgerWorkload::start() {
  stopping_ = false;
  for (int writer = 0; writer < options_.writers; ++writer) {
    writers_.emplace_back([this, writer] { write(writer); });
  }
}

Status LedgerWorkload::stop() {
  stopping_ = true;
  writers_.clear();
  return outcome();
}

Status LedgerWorkload::outcome() {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

void LedgerWorkload::write(int writer) {
  Script script(options_, options_.seed * 1000 + static_cast<std::uint64_t>(writer));
  auto session = PostgresSession::open(options_.uri);
  while (!stopping_) {
    std::this_thread::sleep_for(options_.pause);
    if (!session.ok()) {
      session = PostgresSession::open(options_.uri);
      continue;
    }
    const auto statements = script.next();
    Status done;
    for (const auto& statement : statements) {
      done = session->execute(statement);
      if (!done.ok()) break;
    }
    if (done.ok()) {
      committed_ += statements.back() == "commit" ? 1 : 0;
    } else if (!is_part_of_the_game(done.error())) {
      return keep(done.error());
    } else {
      session = PostgresSession::open(options_.uri);
    }
  }
}

void LedgerWorkload::keep(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (outcome_.ok()) outcome_ = error;
}

Result<std::vector<std::string>> ledger_violations(ComparedSystem& system, const std::string& schema,
                                                   int coins) {
  const auto in = "\"" + schema + "\".";
  const auto sql = fmt::format(
      // In words that every destination knows: no FULL JOIN in MySQL, where "key" is one of its own.
      "select (select count(*) from (select \"key\" from (select \"key\", val from {0}ledger union all "
      "select \"key\", -bal from {0}acct) l group by \"key\" having sum(val) <> 0) d), "
      "(select count(*) from (select \"key\" from (select \"key\", 1 as n from {0}ledger union all "
      "select \"key\", -ver from {0}acct) l group by \"key\" having sum(n) <> 0) d), "
      "(select count(*) from (select txn from {0}ledger group by txn "
      "having count(*) <> max(seq) + 1 or min(seq) <> 0 or sum(val) <> 0) t), "
      "(select count(*) from (select sum(bal) as s from {0}acct) b where s <> 0), "
      "(select count(*) from (select coalesce(sum(amount), 0) as s from {0}coin) c where s <> {1})",
      in, coins * kCoinAmount);
  const std::vector<std::string> meaning{"accounts whose balance is not the sum of their ledger rows",
                                         "accounts whose version is not their number of "
                                         "ledger rows",
                                         "transactions that are torn", "sum of all balances that is not 0",
                                         "sum of all coins that has "
                                         "changed"};
  std::vector<std::string> violations;
  MAIA_TRY(system.each_row(sql, [&](Row&& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] != "0") violations.push_back(row[i].value_or("NULL") + " " + meaning[i]);
    }
  }));
  return violations;
}

}  // namespace maia::testing
