// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/native_type.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace maia::mysql {
namespace {

char unescaped(char c) {
  switch (c) {
    case '0': return '\0';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'Z': return '\x1a';
    default: return c;
  }
}

/// One 'label' at the front of `rest`, which it leaves behind.
std::optional<std::string> take_label(std::string_view& rest) {
  if (!rest.starts_with('\'')) return std::nullopt;
  std::string label;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      label += unescaped(rest[++i]);
    } else if (rest[i] != '\'') {
      label += rest[i];
    } else if (i + 1 < rest.size() && rest[i + 1] == '\'') {
      label += rest[++i];
    } else {
      rest.remove_prefix(i + 1);
      return label;
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> take_number(std::string_view& rest) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{}) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return number;
}

/// What stands between the brackets; false if it is neither numbers nor labels.
bool take_brackets(std::string_view& rest, NativeType& type) {
  for (bool first = true; first || rest.starts_with(','); first = false) {
    rest.remove_prefix(1);
    if (auto label = take_label(rest)) {
      type.labels.push_back(*std::move(label));
      continue;
    }
    const auto number = take_number(rest);
    if (!number) return false;
    (first ? type.length : type.scale) = *number;
    type.has_length = true;
  }
  if (!rest.starts_with(')')) return false;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

Result<NativeType> parse_native_type(std::string_view column_type) {
  NativeType type;
  type.spelled = column_type;
  auto rest = column_type;
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_word);
  for (auto at = rest.begin(); at != end; ++at)
    type.name += static_cast<char>(std::tolower(static_cast<unsigned char>(*at)));
  rest.remove_prefix(type.name.size());
  const bool brackets_are_good = !rest.starts_with('(') || take_brackets(rest, type);
  if (type.name.empty() || !brackets_are_good) {
    return Error{.code = Error::Code::unsupported,
                 .message = "the type \"" + std::string(column_type) + "\" cannot be understood"};
  }
  type.is_unsigned = rest.find(" unsigned") != rest.npos;
  return type;
}

}  // namespace maia::mysql
