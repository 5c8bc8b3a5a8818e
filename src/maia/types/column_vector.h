// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "maia/base/assert.h"
#include "maia/base/bitmap.h"
#include "maia/types/type.h"

namespace maia {

/// Same layout as duckdb_interval. All fields at their maximum, or all at their minimum, are plus and minus
/// infinity (as PostgreSQL 17 has them); a destination without infinite intervals refuses these two.
struct Interval {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t micros = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// 16 bytes in the order of the text form.
struct Uuid {
  std::uint8_t bytes[16] = {};
  friend bool operator==(const Uuid&, const Uuid&) = default;
};

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/// What a row has in one column. `unchanged` means that the source did not send the value (an untouched
/// large column; a column that is no part of a before image); it is never NULL and never a magic string.
enum class Presence : std::uint8_t { value, null, unchanged };

/// The values of one column of a batch. Append-only; `clear` keeps the memory, so a recycled vector
/// does not allocate. Fixed-width values lie end to end (absent ones as zero), varlen values behind
/// each other in `chars` with Arrow-style end offsets. A batch holds at most 4 GiB of text a column.
class ColumnVector {
 public:
  ColumnVector() = default;
  explicit ColumnVector(Physical physical) : physical_(physical), width_(width(physical)) {}

  Physical physical() const { return physical_; }
  std::size_t size() const { return valid_.size(); }
  /// Bytes in use; what bounded queues count.
  std::size_t byte_size() const { return fixed_.size() + chars_.size() + ends_.size() * 4 + size() / 4; }

  Presence presence(std::size_t row) const {
    if (valid_[row]) return Presence::value;
    return any_unchanged_ && unchanged_[row] ? Presence::unchanged : Presence::null;
  }
  bool has_value(std::size_t row) const { return valid_[row]; }
  bool any_unchanged() const { return any_unchanged_; }

  /// Values; only where presence is `value`, and T must be the physical type.
  template <class T>
  T fixed(std::size_t row) const {
    MAIA_ASSERT(sizeof(T) == width_);
    T value;
    std::memcpy(&value, fixed_.data() + row * sizeof(T), sizeof(T));
    return value;
  }
  std::string_view text(std::size_t row) const {
    const auto begin = row == 0 ? 0 : ends_[row - 1];
    return {chars_.data() + begin, ends_[row] - begin};
  }

  template <class T>
  void push_fixed(const T& value) {
    MAIA_ASSERT(sizeof(T) == width_);
    const auto at = fixed_.size();
    fixed_.resize(at + sizeof(T));
    std::memcpy(fixed_.data() + at, &value, sizeof(T));
    push_presence(Presence::value);
  }
  void push_text(std::string_view value) {
    chars_.insert(chars_.end(), value.begin(), value.end());
    MAIA_ASSERT(chars_.size() <= UINT32_MAX);
    ends_.push_back(static_cast<std::uint32_t>(chars_.size()));
    push_presence(Presence::value);
  }
  void push_null() { push_absent(Presence::null); }
  void push_unchanged() { push_absent(Presence::unchanged); }
  /// Copies one value of a vector of the same physical type, whatever its presence.
  void push_from(const ColumnVector& other, std::size_t row);
  void clear();
  /// Keeps the first `rows` rows.
  void truncate(std::size_t rows);

  /// The raw memory, for codecs that move whole columns (journal, DuckDB, Arrow).
  const std::vector<std::uint8_t>& fixed_bytes() const { return fixed_; }
  const std::vector<char>& chars() const { return chars_; }
  const std::vector<std::uint32_t>& ends() const { return ends_; }
  const Bitmap& valid() const { return valid_; }
  const Bitmap& unchanged() const { return unchanged_; }  ///< empty unless any_unchanged()

  /// Puts a column together from raw memory; the caller has checked that the sizes fit.
  static ColumnVector assemble(Physical physical, std::vector<std::uint8_t> fixed,
                               std::vector<std::uint32_t> ends, std::vector<char> chars, Bitmap valid,
                               Bitmap unchanged);

 private:
  void push_presence(Presence presence) {
    valid_.push(presence == Presence::value);
    if (presence == Presence::unchanged && !any_unchanged_) {
      any_unchanged_ = true;
      unchanged_.resize(valid_.size() - 1);
    }
    if (any_unchanged_) unchanged_.push(presence == Presence::unchanged);
  }
  void push_absent(Presence presence) {
    if (width_ == 0) {
      ends_.push_back(static_cast<std::uint32_t>(chars_.size()));
    } else {
      fixed_.resize(fixed_.size() + width_, 0);
    }
    push_presence(presence);
  }

  Physical physical_ = Physical::varlen;
  std::size_t width_ = 0;
  std::vector<std::uint8_t> fixed_;
  std::vector<std::uint32_t> ends_;
  std::vector<char> chars_;
  Bitmap valid_;
  Bitmap unchanged_;
  bool any_unchanged_ = false;
};

}  // namespace maia
