// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/protobuf_message.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::kafka {
namespace {

/// Protocol Buffers keeps these numbers for itself.
constexpr std::int32_t kOwnFirst = 19'000, kOwnLast = 19'999;

/// In order, and as few ranges as can be, so that a text does not depend on how a registry writes them.
void merge(std::vector<std::pair<std::int32_t, std::int32_t>>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::size_t kept = 0;
  for (const auto& range : ranges) {
    if (kept > 0 && range.first <= ranges[kept - 1].second + 1) {
      ranges[kept - 1].second = std::max(ranges[kept - 1].second, range.second);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\{:03o}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

Status number_fields(ProtobufMessage& message, const ProtobufMessage& last) {
  message.gone = last.gone;
  std::int32_t largest = 0;
  for (const auto& [first, end] : last.gone) largest = std::max(largest, end);
  for (const auto& old : last.fields) {
    largest = std::max(largest, old.number);
    const auto same = std::find_if(message.fields.begin(), message.fields.end(), [&](const auto& field) {
      return field.name == old.name && field.type == old.type;
    });
    if (same == message.fields.end()) {
      message.gone.emplace_back(old.number, old.number);
    } else {
      same->number = old.number;
    }
  }
  merge(message.gone);
  for (auto& field : message.fields) {
    if (field.number != 0) continue;
    if (largest == kLargestNumber) {
      return Error{Error::Code::unsupported, Recovery::halt, "the message has no number left for a field"};
    }
    if (++largest >= kOwnFirst && largest <= kOwnLast) largest = kOwnLast + 1;
    field.number = largest;
  }
  return {};
}

std::string protobuf_text(std::string_view name, const ProtobufMessage& message, std::string_view more) {
  std::string out = fmt::format("message {} {{\n", name);
  for (const auto& [first, last] : message.gone) {
    out += first == last ? fmt::format("  reserved {};\n", first)
                         : fmt::format("  reserved {} to {};\n", first, last);
  }
  for (const auto& field : message.fields) {
    out += fmt::format("  {} {} = {} [json_name = {}];\n", field.type, field.name, field.number,
                       quoted(field.json_name));
  }
  out += more;
  return out + "}\n";
}

}  // namespace maia::kafka
