// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "maia/base/result.h"
#include "maia/testing/mysql_server.h"

namespace maia::tests {

/// Writers at a MySQL or MariaDB server who move cents from account to account, so that their sum is the same
/// at every commit, and roll some of it back. Each has a GTID domain (MariaDB) or tag (MySQL) of its own, but
/// for the first. Errors are their business: the server may be killed under them.
class MysqlTransfers {
 public:
  static constexpr int kAccounts = 3'000;
  /// Makes the database `shop` with its tables `account` and `transfer`.
  static Status prepare(testing::MysqlServer& server);

  /// Begins to write.
  explicit MysqlTransfers(testing::MysqlServer& server);
  MysqlTransfers(const MysqlTransfers&) = delete;
  MysqlTransfers& operator=(const MysqlTransfers&) = delete;
  ~MysqlTransfers() { stop(); }
  /// When it returns all has been written.
  void stop();
  /// Returns when so many transfers have been made since it began, or none for a long time.
  Status await(int transfers) const;

 private:
  void write(int writer);

  testing::MysqlServer& server_;
  std::atomic<int> made_ = 0;
  std::atomic<bool> done_ = false;
  std::vector<std::thread> writers_;
};

/// Fails the test where a copy of the tables is not equal to them by several looks at all of their rows.
void expect_equal_transfers(testing::MysqlServer& server,
                            const std::function<Result<testing::Rows>(const std::string&)>& copy);

}  // namespace maia::tests
