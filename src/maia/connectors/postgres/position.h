// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/types/position.h"

namespace maia::postgres {

/// A byte's place in the write-ahead log.
using Lsn = std::uint64_t;
/// "0/16B3748", as the server writes it.
std::string to_string(Lsn lsn);
Result<Lsn> parse_lsn(std::string_view text);

/// A sign of life that MAIA wrote to the source (heartbeat.h).
struct Beat {
  std::uint64_t number = 0;  ///< grows by one with each; 0: none
  std::uint32_t nonce = 0;

  std::string nonce_text() const;  ///< "9f3a12bc"
  std::string text() const;        ///< "105-9f3a12bc"
  static std::optional<Beat> parse(std::string_view text);
  friend bool operator==(const Beat&, const Beat&) = default;
};

/// A place in the log of one server: after the end of a commit record. The token is
/// "<system identifier>/<timeline>/<LSN in hex>", such as "7423011223344556677/1/16B3748", with "/<beat>"
/// behind it once a heartbeat has come through the log before the place. A restored copy of a cluster keeps
/// the system identifier but gets a new timeline at its promotion; a cold one keeps both, and only the beat
/// tells.
struct LogPlace {
  std::uint64_t system = 0;
  std::uint32_t timeline = 0;
  Lsn lsn = 0;
  Beat beat = {};  ///< the last one at or before the place; says nothing of the order of places

  Position position() const;
  /// Code::corruption if the token is none of ours. Takes any bytes.
  static Result<LogPlace> parse(const Position& position);
  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

/// Order of two positions. The empty one is before all. Unordered: tokens that are not ours, different
/// systems, or an earlier timeline that is ahead of a later one, whose histories have parted.
std::partial_ordering compare(const Position& a, const Position& b);

}  // namespace maia::postgres
