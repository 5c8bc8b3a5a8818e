// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <list>

#include "maia/journal/journal.h"
#include "maia/journal/record.h"

namespace maia::journal {

/// The windows that were appended last, bounded in bytes, so that a cursor that keeps up reads nothing from
/// disk. What every cursor has read is dropped. Not thread-safe.
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
    while (bytes_ > limit_ && entries_.size() > 1) drop_first();
  }
  const Entry* find(Sequence sequence) const {
    if (entries_.empty() || sequence < first_ || sequence.value - first_.value >= entries_.size())
      return nullptr;
    return &entries_[sequence.value - first_.value];
  }

  /// A cursor, by the last sequence that it has read.
  using Reader = std::list<Sequence>::iterator;
  Reader enter(Sequence after) { return readers_.insert(readers_.end(), after); }
  void advance(Reader reader, Sequence read) {
    *reader = read;
    const auto slowest = *std::min_element(readers_.begin(), readers_.end());
    while (!entries_.empty() && first_ <= slowest) drop_first();
  }
  void leave(Reader reader) { readers_.erase(reader); }
  std::size_t readers() const { return readers_.size(); }

  void clear() {
    entries_.clear();
    bytes_ = 0;
  }

 private:
  void drop_first() {
    bytes_ -= size_of(entries_.front());
    entries_.pop_front();
    ++first_.value;
  }
  static std::uint64_t size_of(const Entry& entry) {
    return sizeof(Entry) + (entry.window ? entry.window->byte_size() : 0);
  }

  std::deque<Entry> entries_;
  std::list<Sequence> readers_;
  Sequence first_;
  std::uint64_t bytes_ = 0;
  std::uint64_t limit_;
};

}  // namespace maia::journal
