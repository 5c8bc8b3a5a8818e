// SPDX-License-Identifier: Apache-2.0
#include "maia/base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <cmath>
#include <ctime>
#include <functional>
#include <iterator>
#include <memory>

#include "maia/base/clock.h"
#include "maia/base/json_text.h"
#include "maia/base/repeat_limit.h"

namespace maia::log {
namespace {

spdlog::level::level_enum severity(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Where lines go; made at first use, for ever.
struct Output {
  Output() : logger("maia", std::make_shared<spdlog::sinks::stderr_sink_mt>()), format(usual_format()) {
    logger.set_pattern("%v");
    logger.flush_on(spdlog::level::debug);
  }
  spdlog::logger logger;
  Format format;
  RepeatLimit repeats{kRepeatsPerSecond};
};

Output& output() {
  static auto* output = new Output;
  return *output;
}

std::uint64_t kind_of(Level level, std::string_view message, Fields fields) {
  const std::hash<std::string_view> hash;
  auto kind = hash(message) * 4 + static_cast<std::uint64_t>(level);
  if (!fields.empty()) kind ^= hash(fields.front().to_string()) * 31;
  return kind;
}

void append_json_field(std::string& out, const Field& field) {
  out += ',';
  append_json_string(out, field.name());
  out += ':';
  if (field.is_json()) {
    out += field.to_string();
  } else {
    append_json_string(out, field.to_string());
  }
}

void append_text_field(std::string& out, const Field& field) {
  out += ' ';
  out += field.name();
  out += '=';
  const auto text = field.to_string();
  bool plain = !text.empty();
  for (const char c : text) plain = plain && static_cast<unsigned char>(c) > ' ' && c != '"' && c != 0x7f;
  if (plain) {
    out += text;
  } else {
    append_json_string(out, text);
  }
}

std::string json_line(std::int64_t wall_micros, Level level, std::string_view message, Fields fields) {
  const std::time_t seconds = wall_micros / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  auto out = fmt::format(R"({{"ts":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z","level":"{}","msg":)",
                         utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                         wall_micros % 1'000'000, to_string(level));
  append_json_string(out, message);
  for (const auto& field : fields) append_json_field(out, field);
  return out;
}

std::string text_line(std::int64_t wall_micros, Level level, std::string_view message, Fields fields) {
  const std::time_t seconds = wall_micros / 1'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  auto out = fmt::format("{:02}:{:02}:{:02}.{:03} {:<7} {}", local.tm_hour, local.tm_min, local.tm_sec,
                         wall_micros % 1'000'000 / 1000, to_string(level), message);
  for (const auto& field : fields) append_text_field(out, field);
  return out;
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "error";
}

std::string Field::to_string() const {
  switch (kind_) {
    case Kind::text: return std::string(text_);
    case Kind::boolean: return value_.natural != 0 ? "true" : "false";
    case Kind::integer: return fmt::to_string(value_.integer);
    case Kind::natural: return fmt::to_string(value_.natural);
    case Kind::number: return fmt::to_string(value_.number);
  }
  return {};
}

bool Field::is_json() const {
  return kind_ == Kind::number ? std::isfinite(value_.number) : kind_ != Kind::text;
}

Format usual_format() { return isatty(STDERR_FILENO) ? Format::text : Format::json; }

void configure(Level least, Format format) {
  output().logger.set_level(severity(least));
  output().format = format;
}

std::string line(Format format, std::int64_t wall_micros, Level level, std::string_view message,
                 Fields fields, std::uint64_t suppressed) {
  auto out = format == Format::json ? json_line(wall_micros, level, message, fields)
                                    : text_line(wall_micros, level, message, fields);
  const Field count("suppressed", suppressed);
  if (format == Format::json) {
    if (suppressed > 0) append_json_field(out, count);
    out += '}';
  } else if (suppressed > 0) {
    append_text_field(out, count);
  }
  return out;
}

void write(Level level, std::string_view message, Fields fields) {
  auto& to = output();
  if (!to.logger.should_log(severity(level))) return;
  auto& clock = system_clock();
  const auto steady =
      std::chrono::duration_cast<std::chrono::microseconds>(clock.steady().time_since_epoch());
  const auto suppressed = to.repeats.admit(kind_of(level, message, fields), steady.count());
  if (!suppressed) return;
  to.logger.log(severity(level), line(to.format, clock.wall(), level, message, fields, *suppressed));
}

void error(std::string_view message, const Error& why) {
  const Field fields[] = {{"error", why.message}, {"code", maia::to_string(why.code)}, {"hint", why.hint}};
  write(Level::error, message, Fields(fields, why.hint.empty() ? 2 : 3));
}

}  // namespace maia::log
