// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "maia/base/result.h"
#include "maia/connectors/mysql/gtid_set.h"
#include "maia/types/position.h"

namespace maia::mysql {

/// A place in the binary logs of a server and of every other that has the same transactions: those that are
/// at or before it, by their global ids. The token is "mysql:<set>", or "mariadb:<last of each domain>" with
/// "|<where to read from>" behind it while XA transactions wait for their decision. (A set can leave these
/// out.)
struct LogPlace {
  std::variant<GtidSet, DomainPositions> passed;
  /// MariaDB: before the rows of every XA transaction that is prepared and not decided at the place.
  std::optional<DomainPositions> read_from = {};

  bool mariadb() const { return std::holds_alternative<DomainPositions>(passed); }
  /// As the server prints it.
  std::string text() const;
  Position position() const;
  /// Code::corruption if the token is none of ours. Takes any bytes.
  static Result<LogPlace> parse(const Position& position);
  static Result<LogPlace> parse(bool mariadb, std::string_view text);
  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

/// Order of two positions. The empty one is before all. Unordered: tokens that are not ours, different
/// products, and places that each have transactions that the other lacks.
std::partial_ordering compare(const Position& a, const Position& b);

}  // namespace maia::mysql
