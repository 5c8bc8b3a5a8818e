// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "maia/base/result.h"

/// Structured log on standard error: `log::info("snapshot done", {{"table", name}, {"rows", n}})`.
/// Thread-safe. A message is a constant phrase; what varies goes into fields. The same message at the same
/// level with the same first field is written at most kRepeatsPerSecond times within a second; the next one
/// that is written says in `suppressed` how many were left out. Secrets cannot be logged, because `Secret`
/// has no conversion.
namespace maia::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t {
  json,  ///< {"ts":"2026-11-23T22:29:50.123456Z","level":"info","msg":"snapshot
         ///< done","table":"orders","rows":5}
  text,  ///< 22:29:50.123 info snapshot done table=orders rows=5
};

inline constexpr unsigned kRepeatsPerSecond = 10;

/// One named value of a line; refers to what it was made of.
class Field {
 public:
  Field(std::string_view name, std::string_view value) : name_(name), text_(value) {}
  Field(std::string_view name, const char* value) : Field(name, std::string_view(value)) {}
  Field(std::string_view name, const std::string& value) : Field(name, std::string_view(value)) {}
  Field(std::string_view name, bool value) : name_(name), kind_(Kind::boolean) { value_.natural = value; }
  template <std::signed_integral T>
  Field(std::string_view name, T value) : name_(name), kind_(Kind::integer) {
    value_.integer = value;
  }
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Field(std::string_view name, T value) : name_(name), kind_(Kind::natural) {
    value_.natural = value;
  }
  Field(std::string_view name, double value) : name_(name), kind_(Kind::number) { value_.number = value; }

  std::string_view name() const { return name_; }
  /// Whether to_string() is a JSON number or literal.
  bool is_json() const;
  /// As it would be read by people: text without quotes.
  std::string to_string() const;

 private:
  enum class Kind : std::uint8_t { text, boolean, integer, natural, number };

  std::string_view name_;
  std::string_view text_;
  Kind kind_ = Kind::text;
  union {
    std::int64_t integer;
    std::uint64_t natural = 0;
    double number;
  } value_;
};
using Fields = std::span<const Field>;

/// Before the first line and before threads are started; otherwise info, and text on a terminal, JSON
/// elsewhere.
void configure(Level least, Format format);
/// Whether standard error is a terminal.
Format usual_format();

void write(Level level, std::string_view message, Fields fields);
inline void write(Level level, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(level, message, Fields(fields.begin(), fields.size()));
}
inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::info, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::warning, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::error, message, fields);
}
/// The error's message, code and hint as fields.
void error(std::string_view message, const Error& why);

/// One line as it would be written, without the line break. For tests and for other outputs.
std::string line(Format format, std::int64_t wall_micros, Level level, std::string_view message,
                 Fields fields, std::uint64_t suppressed = 0);

std::string_view to_string(Level level);

}  // namespace maia::log
