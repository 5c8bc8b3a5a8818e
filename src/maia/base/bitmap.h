// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace maia {

/// Growing sequence of bits, 64 to a word, lowest bit first: the layout of DuckDB's validity masks
/// and of Arrow's bitmaps. Not thread-safe.
class Bitmap {
 public:
  std::size_t size() const { return size_; }
  bool operator[](std::size_t i) const { return (words_[i >> 6] >> (i & 63)) & 1; }
  void push(bool bit) {
    if ((size_ & 63) == 0) words_.push_back(0);
    words_.back() |= std::uint64_t{bit} << (size_ & 63);
    ++size_;
  }
  void set(std::size_t i, bool bit) {
    const auto mask = std::uint64_t{1} << (i & 63);
    words_[i >> 6] = bit ? words_[i >> 6] | mask : words_[i >> 6] & ~mask;
  }
  /// Makes it `size` bits long; new bits are zero.
  void resize(std::size_t size) {
    words_.resize((size + 63) / 64, 0);
    if (size < size_ && (size & 63)) words_.back() &= (std::uint64_t{1} << (size & 63)) - 1;
    size_ = size;
  }
  void clear() {
    words_.clear();
    size_ = 0;
  }
  /// Number of ones.
  std::size_t count() const {
    std::size_t n = 0;
    for (auto word : words_) n += static_cast<std::size_t>(__builtin_popcountll(word));
    return n;
  }
  const std::vector<std::uint64_t>& words() const { return words_; }
  /// From whole words, for codecs; bits past `size` are dropped.
  static Bitmap from_words(std::vector<std::uint64_t> words, std::size_t size) {
    Bitmap bitmap;
    bitmap.words_ = std::move(words);
    bitmap.words_.resize((size + 63) / 64, 0);
    if (size & 63) bitmap.words_.back() &= (std::uint64_t{1} << (size & 63)) - 1;
    bitmap.size_ = size;
    return bitmap;
  }
  friend bool operator==(const Bitmap&, const Bitmap&) = default;

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace maia
