// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "maia/journal/journal.h"
#include "maia/journal/record.h"

namespace maia::journal {

/// The windows that were appended last, bounded in bytes, so that a cursor that keeps up reads nothing from
/// disk. Not thread-safe.
class RecentWindows {
 public:
  struct Entry {
    Place place;       ///< of the record
    WindowRef window;  ///< null: to be read from the record
  };

  explicit RecentWindows(std::uint64_t limit_bytes) : limit_(limit_bytes) {}
  /// Sequences come one after the other. The newest is always kept.
  void push(Sequence sequence, Entry entry) {
    if (entries_.empty()) first_ = sequence;
    bytes_ += size_of(entry);
    entries_.push_back(std::move(entry));
    while (bytes_ > limit_ && entries_.size() > 1) {
      bytes_ -= size_of(entries_.front());
      entries_.pop_front();
      ++first_.value;
    }
  }
  const Entry* find(Sequence sequence) const {
    if (entries_.empty() || sequence < first_ || sequence.value - first_.value >= entries_.size())
      return nullptr;
    return &entries_[sequence.value - first_.value];
  }
  void clear() {
    entries_.clear();
    bytes_ = 0;
  }

 private:
  static std::uint64_t size_of(const Entry& entry) {
    return sizeof(Entry) + (entry.window ? entry.window->byte_size() : 0);
  }

  std::deque<Entry> entries_;
  Sequence first_;
  std::uint64_t bytes_ = 0;
  std::uint64_t limit_;
};

}  // namespace maia::journal
