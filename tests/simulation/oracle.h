// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "database.h"
#include "destination.h"

namespace maia::simulation {

/// Knows what must be true, and looks at every commit of a destination, at every confirmed position, and when
/// all is quiet.
class Oracle {
 public:
  Oracle(Database& database, Trace& trace) : database_(database), trace_(trace) {}

  void watch(Store& store);
  /// Nothing is copied: everything comes by the stream.
  void expect_no_copies() { no_copies_ = true; }
  void confirmed(std::uint64_t position);
  /// Everything is delivered: destinations equal the database.
  void quiet();
  std::uint64_t checks() const { return checks_; }

 private:
  void committed(const Store& store);
  void compare(const Store& store, const Table& there, const Table& expected, std::uint64_t position);
  void compare_log(const Store& store, const Table& log, const std::string& table, std::uint64_t position);

  Database& database_;
  Trace& trace_;
  std::vector<const Store*> stores_;
  bool no_copies_ = false;
  std::map<std::string, std::uint64_t> reached_;  ///< by destination
  std::uint64_t checks_ = 0;
};

}  // namespace maia::simulation
