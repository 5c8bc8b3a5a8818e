// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "maia/base/byte_size.h"
#include "maia/base/result.h"
#include "maia/base/secret.h"
#include "maia/config/scalar.h"
#include "maia/config/setting.h"
#include "maia/config/settings_check.h"

namespace maia::config {

/// One word of an enumeration, as it is written in a file.
template <class E>
struct Choice {
  std::string_view word;
  E value;
};
/// The words of an enumeration; specialised once beside it:
///
///     template <> inline constexpr config::Choice<Mode> config::choices_of<Mode>[] = {{"off", Mode::off}};
template <class E>
inline constexpr std::nullptr_t choices_of = nullptr;
template <class E>
concept Enumerated = std::is_enum_v<E> && std::is_array_v<std::remove_cvref_t<decltype(choices_of<E>)>>;

/// The word of an enumerator.
template <Enumerated E>
std::string_view word_of(E value) {
  for (const auto& choice : choices_of<E>) {
    if (choice.value == value) return choice.word;
  }
  return "";
}

/// How a C++ type appears as a setting: `describe` fills kind, element and choices; `read` takes a value that
/// check_setting has passed; `write` gives the default's text, "" for none.
template <class T>
struct Kind;

template <>
struct Kind<std::string> {
  static void describe(Setting& s) { s.kind = Setting::Kind::text; }
  static Result<std::string> read(const Node& n) { return n.scalar()->text; }
  static std::string write(const std::string& v) { return v; }
};

template <>
struct Kind<Node> {
  static void describe(Setting& s) { s.kind = Setting::Kind::any; }
  static Result<Node> read(const Node& n) { return n; }
  static std::string write(const Node&) { return ""; }
};

template <>
struct Kind<Secret> {
  static void describe(Setting& s) { s.kind = Setting::Kind::secret; }
  static Result<Secret> read(const Node& n) { return Secret(n.scalar()->text); }
  static std::string write(const Secret&) { return ""; }
};

template <>
struct Kind<bool> {
  static void describe(Setting& s) { s.kind = Setting::Kind::boolean; }
  static Result<bool> read(const Node& n) { return *parse_boolean(n.scalar()->text); }
  static std::string write(bool v) { return v ? "true" : "false"; }
};

template <std::integral T>
struct Kind<T> {
  static void describe(Setting& s) {
    s.kind = Setting::Kind::integer;
    if constexpr (std::unsigned_integral<T>) s.minimum = 0;
    if constexpr (sizeof(T) < sizeof(std::int32_t)) {
      s.minimum = std::numeric_limits<T>::min();
      s.maximum = std::numeric_limits<T>::max();
    }
  }
  static Result<T> read(const Node& n) {
    const auto value = *parse_integer(n.scalar()->text);
    if (!std::in_range<T>(value))
      return error_at(n.mark, std::to_string(value) + " is too large a number here");
    return static_cast<T>(value);
  }
  static std::string write(T v) { return std::to_string(v); }
};

template <std::floating_point T>
struct Kind<T> {
  static void describe(Setting& s) { s.kind = Setting::Kind::number; }
  static Result<T> read(const Node& n) { return static_cast<T>(*parse_number(n.scalar()->text)); }
  static std::string write(T v) { return to_string(static_cast<double>(v)); }
};

template <class Rep, class Period>
struct Kind<std::chrono::duration<Rep, Period>> {
  using T = std::chrono::duration<Rep, Period>;
  static void describe(Setting& s) { s.kind = Setting::Kind::duration; }
  static Result<T> read(const Node& n) {
    const auto value = *parse_duration(n.scalar()->text);
    const auto rounded = std::chrono::duration_cast<T>(value);
    if (rounded != value)
      return error_at(n.mark, "'" + n.scalar()->text + "' is finer than this setting can be",
                      "the smallest step is " + to_string(std::chrono::microseconds(T(1))));
    return rounded;
  }
  static std::string write(T v) {
    return to_string(std::chrono::duration_cast<std::chrono::microseconds>(v));
  }
};

template <>
struct Kind<ByteSize> {
  static void describe(Setting& s) { s.kind = Setting::Kind::bytes; }
  static Result<ByteSize> read(const Node& n) { return *parse_byte_size(n.scalar()->text); }
  static std::string write(ByteSize v) { return to_string(v); }
};

template <Enumerated E>
struct Kind<E> {
  static void describe(Setting& s) {
    s.kind = Setting::Kind::choice;
    for (const auto& choice : choices_of<E>) s.choices.emplace_back(choice.word);
  }
  static Result<E> read(const Node& n) {
    for (const auto& choice : choices_of<E>) {
      if (n.scalar()->text == choice.word) return choice.value;
    }
    return error_at(n.mark, "unknown word");
  }
  static std::string write(E v) { return std::string(word_of(v)); }
};

template <class T>
struct Kind<std::optional<T>> {
  static void describe(Setting& s) { Kind<T>::describe(s); }
  static Result<std::optional<T>> read(const Node& n) { return std::optional<T>(MAIA_TRY(Kind<T>::read(n))); }
  static std::string write(const std::optional<T>& v) { return v ? Kind<T>::write(*v) : ""; }
};

/// Makes `s` a container of what it describes now.
inline void contain(Setting& s, Setting::Kind container) {
  s.element = s.kind;
  s.kind = container;
}

template <class T>
struct Kind<std::vector<T>> {
  static void describe(Setting& s) {
    Kind<T>::describe(s);
    contain(s, Setting::Kind::list);
  }
  static Result<std::vector<T>> read(const Node& n) {
    std::vector<T> out;
    if (!n.sequence()) {
      out.push_back(MAIA_TRY(Kind<T>::read(n)));
      return out;
    }
    for (const auto& element : *n.sequence()) out.push_back(MAIA_TRY(Kind<T>::read(element)));
    return out;
  }
  static std::string write(const std::vector<T>& v) {
    std::string out;
    for (const auto& element : v) out += (out.empty() ? "" : ", ") + Kind<T>::write(element);
    return out.empty() ? "" : "[" + out + "]";
  }
};

template <class T>
struct Kind<std::map<std::string, T>> {
  static void describe(Setting& s) {
    Kind<T>::describe(s);
    contain(s, Setting::Kind::map);
  }
  static Result<std::map<std::string, T>> read(const Node& n) {
    std::map<std::string, T> out;
    for (const auto& entry : *n.mapping()) out.emplace(entry.key, MAIA_TRY(Kind<T>::read(entry.value)));
    return out;
  }
  static std::string write(const std::map<std::string, T>& v) {
    std::string out;
    for (const auto& [name, value] : v)
      out += (out.empty() ? "" : ", ") + name + ": " + Kind<T>::write(value);
    return out.empty() ? "" : "{" + out + "}";
  }
};

}  // namespace maia::config
