// SPDX-License-Identifier: Apache-2.0
#include "maia/codec/array_json.h"

#include "maia/base/json_text.h"
#include "maia/codec/json_value.h"
#include "maia/types/value_text.h"

namespace maia::codec {
namespace {

/// More than any source has; keeps hostile input from exhausting the stack.
constexpr int kMaxDimensions = 32;

class ArrayReader {
 public:
  ArrayReader(std::string_view literal, const Type& element, std::string& out)
      : rest_(literal),
        element_(element),
        delimiter_(element.form == "box" ? ';' : ','),
        scratch_(physical(element)),
        out_(out) {}

  bool read() { return read_list(1) && rest_.empty(); }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool read_list(int depth) {
    if (depth > kMaxDimensions || !take('{')) return false;
    out_ += '[';
    if (!take('}')) {
      do {
        if (!read_item(depth)) return false;
        if (rest_.starts_with(delimiter_)) out_ += ',';
      } while (take(delimiter_));
      if (!take('}')) return false;
    }
    out_ += ']';
    return true;
  }

  bool read_item(int depth) {
    if (rest_.starts_with('{')) return read_list(depth + 1);
    return rest_.starts_with('"') ? read_quoted() : read_bare();
  }

  bool read_bare() {
    std::size_t length = 0;
    while (length < rest_.size() && rest_[length] != delimiter_ && rest_[length] != '}') ++length;
    if (length == 0 || length == rest_.size()) return false;
    const auto text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (text == "NULL") {
      out_ += "null";
    } else {
      put(text);
    }
    return true;
  }

  bool read_quoted() {
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty() && rest_[0] != '"') {
      if (rest_[0] == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return false;
      text += rest_[0];
      rest_.remove_prefix(1);
    }
    if (!take('"')) return false;
    put(text);
    return true;
  }

  void put(std::string_view text) {
    scratch_.clear();
    if (push_value_text(scratch_, element_, text).ok()) {
      append_json_value(out_, element_, scratch_, 0);
    } else {
      append_json_string(out_, text);
    }
  }

  std::string_view rest_;
  const Type& element_;
  const char delimiter_;
  ColumnVector scratch_;
  std::string& out_;
};

}  // namespace

void append_array_json(std::string& out, std::string_view literal, const Type& element) {
  const auto start = out.size();
  if (ArrayReader(literal, element, out).read()) return;
  out.resize(start);
  append_json_string(out, literal);
}

}  // namespace maia::codec
