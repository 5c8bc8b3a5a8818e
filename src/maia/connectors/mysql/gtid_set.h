// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/base/bytes.h"
#include "maia/base/result.h"

namespace maia::mysql {

/// The transactions that a MySQL server has executed: for each origin (a server's UUID and a tag, which may
/// be empty) ranges of numbers. "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:8:backup:1-3"; the tag holds for
/// what follows it.
class GtidSet {
 public:
  using Uuid = std::array<std::uint8_t, 16>;
  struct Origin {
    Uuid uuid = {};
    std::string tag;  ///< lower-case
    friend auto operator<=>(const Origin&, const Origin&) = default;
  };
  /// Both ends belong to it.
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    friend auto operator<=>(const Range&, const Range&) = default;
  };

  /// Takes what the server prints, blanks and line ends included. Code::corruption for anything else.
  static Result<GtidSet> parse(std::string_view text);
  /// One spelling per set, without blanks.
  std::string text() const;

  void add(const Origin& origin, Range range);
  void add(const Origin& origin, std::uint64_t number) { add(origin, Range{number, number}); }
  void add(const GtidSet& other);
  void subtract(const GtidSet& other);
  bool contains(const GtidSet& other) const;
  bool contains(const Origin& origin, std::uint64_t number) const;
  bool empty() const { return ranges_.empty(); }

  /// The form of COM_BINLOG_DUMP_GTID. With tags it is the one that MySQL 8.3 brought.
  Bytes encoded() const;

  friend bool operator==(const GtidSet&, const GtidSet&) = default;

 private:
  /// Ascending, apart from each other by at least one number; no origin without ranges.
  std::map<Origin, std::vector<Range>> ranges_;
};

/// The greatest number of a GTID: the server's is one below the end of the signed range.
inline constexpr std::uint64_t kGtidNumberEnd = (std::uint64_t{1} << 63) - 1;

std::string to_text(const GtidSet::Uuid& uuid);

/// Where MariaDB's replication stands: in each domain the last transaction. "0-1-42,7-2-13".
class DomainPositions {
 public:
  struct Last {
    std::uint32_t server = 0;
    std::uint64_t number = 0;
    friend bool operator==(const Last&, const Last&) = default;
  };
  static Result<DomainPositions> parse(std::string_view text);
  /// What a server's log has: by domain and server the last number. "0-1-42,0-2-40,7-2-13".
  using State = std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t>;
  static Result<State> parse_state(std::string_view text);
  std::string text() const;

  void pass(std::uint32_t domain, Last last) { last_[domain] = last; }
  /// Where the domain stood before; nothing: it had no transactions.
  void go_back(std::uint32_t domain, const std::optional<Last>& last) {
    if (last) {
      last_[domain] = *last;
    } else {
      last_.erase(domain);
    }
  }
  std::optional<Last> last(std::uint32_t domain) const {
    const auto found = last_.find(domain);
    return found == last_.end() ? std::nullopt : std::optional(found->second);
  }
  /// By the numbers of every domain: equal, before or after in all of them, or unordered.
  std::partial_ordering compare(const DomainPositions& other) const;
  const std::map<std::uint32_t, Last>& domains() const { return last_; }
  friend bool operator==(const DomainPositions&, const DomainPositions&) = default;

 private:
  std::map<std::uint32_t, Last> last_;
};

}  // namespace maia::mysql
