// SPDX-License-Identifier: Apache-2.0
#include "maia/config/settings_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/config/nearest.h"
#include "maia/config/scalar.h"

namespace maia::config {
namespace {

using Kind = Setting::Kind;
constexpr std::size_t kLongestEcho = 60;

bool is_composite(Kind kind) { return kind == Kind::list || kind == Kind::map || kind == Kind::group; }

std::string path(std::string_view where, std::string_view name) {
  return where.empty() ? std::string(name) : fmt::format("{}.{}", where, name);
}

std::string bound_text(Kind kind, std::int64_t value) {
  if (kind == Kind::duration) return to_string(std::chrono::microseconds(value));
  if (kind == Kind::bytes) return to_string(ByteSize{static_cast<std::uint64_t>(value)});
  return fmt::format("{}", value);
}

std::string bounds_text(const Setting& s) {
  const auto text = [&](std::int64_t value) { return bound_text(s.kind, value); };
  if (s.minimum && s.maximum) return fmt::format(" between {} and {}", text(*s.minimum), text(*s.maximum));
  if (s.minimum) return fmt::format(" of at least {}", text(*s.minimum));
  if (s.maximum) return fmt::format(" of at most {}", text(*s.maximum));
  return "";
}

std::string kind_text(Kind kind, const Setting& s) {
  switch (kind) {
    case Kind::text: return "text";
    case Kind::integer: return "a whole number" + bounds_text(s);
    case Kind::number: return "a number" + bounds_text(s);
    case Kind::boolean: return "true or false";
    case Kind::duration: return "a duration" + bounds_text(s);
    case Kind::bytes: return "a size in bytes" + bounds_text(s);
    case Kind::secret: return "a secret text";
    case Kind::choice: return "one of " + listed(s.choices, "or");
    case Kind::list: return s.element == Kind::group ? "a list of mappings" : "a list";
    case Kind::map: return "a mapping of names";
    case Kind::group: return "a mapping of settings";
    case Kind::any: return "any value";
  }
  return "";
}

/// What to write instead, as a line of YAML.
std::string sample(const Setting& s) {
  if (!s.example.empty()) return s.example;
  if (!s.default_text.empty()) return s.default_text;
  switch (s.kind) {
    case Kind::text: return "text";
    case Kind::integer: return bound_text(s.kind, s.minimum.value_or(1));
    case Kind::number: return "0.5";
    case Kind::boolean: return "true";
    case Kind::duration: return "5s";
    case Kind::bytes: return "64 MiB";
    case Kind::secret: return "${env:NAME}";
    case Kind::choice: return s.choices.empty() ? "" : s.choices.front();
    case Kind::list: return "[a, b]";
    case Kind::map: return "{name: value}";
    case Kind::any: return "value";
    case Kind::group: return s.members.empty() ? "{}" : "{" + s.members.front().name + ": ...}";
  }
  return "";
}

std::string hint_for(const Setting& s) { return fmt::format("write {}: {}", s.name, sample(s)); }

std::string found(const Node& value, const Setting& s) {
  if (value.mapping()) return "is a mapping";
  if (value.sequence()) return "is a list";
  const auto* scalar = value.scalar();
  if (!scalar || scalar->secret || s.kind == Kind::secret) return "has another value";
  if (scalar->text.size() > kLongestEcho) return "is a long text";
  return fmt::format("is '{}'", scalar->text);
}

Error wrong(const Node& value, const Setting& s, std::string_view where) {
  auto hint = hint_for(s);
  const auto* scalar = value.scalar();
  if (s.kind == Kind::choice && scalar && !scalar->secret) {
    if (auto meant = did_you_mean(scalar->text, s.choices); !meant.empty()) hint = meant;
  }
  return error_at(value.mark,
                  fmt::format("'{}' {} but must be {}", path(where, s.name), found(value, s), expectation(s)),
                  hint);
}

/// Whether the number is inside the setting's bounds.
bool within(std::int64_t value, const Setting& s) {
  return value >= s.minimum.value_or(value) && value <= s.maximum.value_or(value);
}

bool accepts(Kind kind, const std::string& text, const Setting& s) {
  switch (kind) {
    case Kind::text:
    case Kind::secret: return true;
    case Kind::boolean: return parse_boolean(text).has_value();
    case Kind::choice: return std::find(s.choices.begin(), s.choices.end(), text) != s.choices.end();
    case Kind::integer: {
      const auto value = parse_integer(text);
      return value && within(*value, s);
    }
    case Kind::number: {
      const auto value = parse_number(text);
      return value && *value >= static_cast<double>(s.minimum.value_or(INT64_MIN)) &&
             *value <= static_cast<double>(s.maximum.value_or(INT64_MAX));
    }
    case Kind::duration: {
      const auto value = parse_duration(text);
      return value && within(value->count(), s);
    }
    case Kind::bytes: {
      const auto value = parse_byte_size(text);
      return value && within(static_cast<std::int64_t>(value->bytes), s);
    }
    case Kind::list:
    case Kind::map:
    case Kind::group:
    case Kind::any: return false;
  }
  return false;
}

/// Whether a value of this shape can be one of this kind at all.
bool has_shape(const Node& value, Kind kind) {
  if (value.mapping()) return kind == Kind::map || kind == Kind::group;
  if (value.sequence()) return kind == Kind::list;
  return value.scalar() && !is_composite(kind);
}

/// The setting of one element of a list or map.
Setting element_of(const Setting& s, std::string name) {
  Setting element = s;
  element.name = std::move(name);
  element.kind = s.element;
  element.element = Kind::text;
  element.alternatives.clear();
  if (is_composite(s.kind) && is_composite(s.element)) element.example.clear();
  element.default_text.clear();
  return element;
}

Status check_elements(const Node& value, const Setting& s, std::string_view where) {
  if (const auto* sequence = value.sequence()) {
    for (std::size_t i = 0; i < sequence->size(); ++i) {
      const auto element = element_of(s, fmt::format("{}[{}]", s.name, i + 1));
      MAIA_TRY(check_setting((*sequence)[i], element, where));
    }
    return {};
  }
  if (const auto* mapping = value.mapping()) {
    for (const auto& entry : *mapping) {
      MAIA_TRY(check_setting(entry.value, element_of(s, entry.key), path(where, s.name)));
    }
    return {};
  }
  return check_setting(value, element_of(s, s.name), where);
}

}  // namespace

Error error_at(const Mark& mark, std::string_view message, std::string hint) {
  const auto place = to_string(mark);
  return {Error::Code::invalid_config, Recovery::halt,
          place.empty() ? std::string(message) : fmt::format("{}: {}", place, message), std::move(hint)};
}

Error placed(Error error, const Mark& mark) {
  if (mark.line == 0 || error.message.starts_with(mark.file + ":")) return error;
  return std::move(error).in(to_string(mark));
}

std::string expectation(const Setting& setting) {
  auto text = kind_text(setting.kind, setting);
  for (const auto& other : setting.alternatives) text += ", or " + kind_text(other.kind, other);
  return text;
}

Status check_setting(const Node& value, const Setting& setting, std::string_view where) {
  if (setting.kind == Setting::Kind::any) return {};
  if (value.is_null()) {
    return error_at(value.mark, fmt::format("'{}' has no value", path(where, setting.name)),
                    hint_for(setting) + ", or remove the line to get the default");
  }
  if (!has_shape(value, setting.kind)) {
    for (const auto& other : setting.alternatives) {
      if (has_shape(value, other.kind)) return check_setting(value, other, where);
    }
    const bool one_for_list =
        value.scalar() && setting.kind == Setting::Kind::list && has_shape(value, setting.element);
    if (!one_for_list) return wrong(value, setting, where);
  }
  if (setting.kind == Setting::Kind::group)
    return check_settings(value, setting.members, path(where, setting.name));
  if (is_composite(setting.kind)) return check_elements(value, setting, where);
  if (!accepts(setting.kind, value.scalar()->text, setting)) return wrong(value, setting, where);
  return {};
}

Status check_settings(const Node& mapping, std::span<const Setting> settings, std::string_view where) {
  const auto place = where.empty() ? std::string("the file") : fmt::format("'{}'", where);
  const auto* entries = mapping.mapping();
  if (!entries) {
    return error_at(mapping.mark, fmt::format("{} must be a mapping of settings", place),
                    settings.empty() ? ""
                                     : fmt::format("write one `name: value` on each line, such as {}: {}",
                                                   settings[0].name, sample(settings[0])));
  }
  for (const auto& entry : *entries) {
    const auto known =
        std::find_if(settings.begin(), settings.end(), [&](const Setting& s) { return s.name == entry.key; });
    if (known != settings.end()) {
      MAIA_TRY(check_setting(entry.value, *known, where));
      continue;
    }
    if (entry.key.starts_with("x-")) continue;
    std::vector<std::string> names;
    for (const auto& s : settings) names.push_back(s.name);
    auto hint = did_you_mean(entry.key, names);
    if (hint.empty()) hint = "known keys are " + listed(names);
    return error_at(entry.mark, fmt::format("unknown key '{}' in {}", entry.key, place), hint);
  }
  for (const auto& s : settings) {
    if (s.required && !mapping.find(s.name))
      return error_at(mapping.mark, fmt::format("'{}' is missing in {}", s.name, place),
                      fmt::format("{}  # {}", hint_for(s), s.doc));
  }
  return {};
}

}  // namespace maia::config
