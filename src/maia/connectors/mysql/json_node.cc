// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/json_node.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "maia/connectors/mysql/packed_value.h"
#include "maia/connectors/mysql/table_map.h"
#include "maia/connectors/mysql/wire.h"

namespace maia::mysql {
namespace {

constexpr unsigned kMostDepth = 110;  // the server takes 100

enum Type : std::uint8_t {
  kSmallObject,
  kLargeObject,
  kSmallArray,
  kLargeArray,
  kLiteral,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kDouble,
  kString,
  kOpaque = 15,
};

Error malformed() {
  return Error{.code = Error::Code::corruption, .message = "a JSON value in the binary log is damaged"};
}

std::uint64_t read_length(WireReader& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const auto byte = in.u8();
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  in.fail();
  return 0;
}

JsonNode scalar(std::string text) {
  return {.kind = JsonNode::Kind::scalar, .text = std::move(text), .keys = {}, .children = {}};
}

std::string base64(ByteView bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

/// A date or time as JSON has it: all fields in one number.
std::string packed_time_text(WireType type, std::int64_t packed) {
  const auto sign = packed < 0 ? "-" : "";
  const auto value = packed < 0 ? -packed : packed;
  const auto micros = value & 0xFFFFFF;
  const auto time = value >> 24;
  const auto clock = [&](std::int64_t hours) {
    return fmt::format("{:02}:{:02}:{:02}.{:06}", hours, time >> 6 & 63, time & 63, micros);
  };
  if (type == WireType::time || type == WireType::time_old) return sign + clock(time >> 12 & 1023);
  const auto days = time >> 17;
  const auto months = days >> 5;
  auto text = fmt::format("{:04}-{:02}-{:02}", months / 13, months % 13, days & 31);
  if (type != WireType::date && type != WireType::date_old) text += " " + clock(time >> 12 & 31);
  return text;
}

Result<JsonNode> parse_opaque(WireReader in) {
  const auto type = static_cast<WireType>(in.u8());
  const auto data = in.bytes(read_length(in));
  if (!in.ok()) return malformed();
  WireReader value(data);
  switch (type) {
    case WireType::decimal: {
      const unsigned precision = value.u8();
      const unsigned scale = value.u8();
      std::string text;
      if (!append_packed_decimal(text, value, precision, scale)) return malformed();
      return scalar(std::move(text));
    }
    case WireType::date:
    case WireType::date_old:
    case WireType::datetime:
    case WireType::datetime_old:
    case WireType::timestamp:
    case WireType::timestamp_old:
    case WireType::time:
    case WireType::time_old: {
      const auto packed = static_cast<std::int64_t>(value.u64());
      if (!value.ok() || packed == INT64_MIN) return malformed();
      return scalar('"' + packed_time_text(type, packed) + '"');
    }
    default: return scalar(fmt::format("\"base64:type{}:{}\"", static_cast<unsigned>(type), base64(data)));
  }
}

Result<JsonNode> parse_value(std::uint8_t type, ByteView bytes, unsigned depth);

/// What an entry has in its own bytes instead of an offset.
bool is_inline(std::uint8_t type, bool large) {
  return type == kLiteral || type == kInt16 || type == kUint16 ||
         (large && (type == kInt32 || type == kUint32));
}

Result<JsonNode> parse_container(std::uint8_t type, ByteView bytes, unsigned depth) {
  const bool large = type == kLargeObject || type == kLargeArray;
  const bool object = type == kSmallObject || type == kLargeObject;
  const unsigned width = large ? 4 : 2;
  WireReader in(bytes);
  const auto count = in.little(width);
  const auto size = in.little(width);
  if (!in.ok() || size > bytes.size()) return malformed();
  const auto whole = bytes.first(static_cast<std::size_t>(size));
  const auto at = [&](std::uint64_t offset) {
    return offset > whole.size() ? ByteView() : whole.subspan(static_cast<std::size_t>(offset));
  };
  if (count > whole.size() / (width + 1)) return malformed();
  JsonNode node{.kind = object ? JsonNode::Kind::object : JsonNode::Kind::array,
                .text = {},
                .keys = {},
                .children = {}};
  for (std::uint64_t i = 0; object && i < count; ++i) {
    const auto offset = in.little(width);
    const auto length = in.u16();
    WireReader key(at(offset));
    node.keys.emplace_back(key.text(length));
    if (!key.ok() || !in.ok()) return malformed();
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto child = in.u8();
    const auto entry = in.bytes(width);
    if (!in.ok()) return malformed();
    const auto offset = WireReader(entry).little(width);
    node.children.push_back(
        MAIA_TRY(parse_value(child, is_inline(child, large) ? entry : at(offset), depth + 1)));
  }
  return node;
}

Result<JsonNode> parse_value(std::uint8_t type, ByteView bytes, unsigned depth) {
  if (depth > kMostDepth) return malformed();
  WireReader in(bytes);
  const auto number = [&](auto value) -> Result<JsonNode> {
    if (!in.ok()) return malformed();
    return scalar(std::to_string(value));
  };
  switch (type) {
    case kSmallObject:
    case kLargeObject:
    case kSmallArray:
    case kLargeArray: return parse_container(type, bytes, depth);
    case kLiteral: {
      constexpr std::string_view kWords[] = {"null", "true", "false"};
      const auto word = in.u8();
      if (!in.ok() || word > 2) return malformed();
      return scalar(std::string(kWords[word]));
    }
    case kInt16: return number(static_cast<std::int16_t>(in.u16()));
    case kUint16: return number(in.u16());
    case kInt32: return number(static_cast<std::int32_t>(in.u32()));
    case kUint32: return number(in.u32());
    case kInt64: return number(static_cast<std::int64_t>(in.u64()));
    case kUint64: return number(in.u64());
    case kDouble: {
      double value = 0;
      const auto bits = in.u64();
      std::memcpy(&value, &bits, sizeof value);
      if (!in.ok() || !std::isfinite(value)) return malformed();
      return scalar(json_number(value));
    }
    case kString: {
      const auto text = in.text(read_length(in));
      if (!in.ok()) return malformed();
      return scalar(json_quoted(text));
    }
    case kOpaque: return parse_opaque(in);
    default: return malformed();
  }
}

}  // namespace

Result<JsonNode> parse_json(ByteView binary) {
  // What a server that is not strict has stored for a missing value.
  if (binary.empty()) return scalar("null");
  return parse_value(binary.front(), binary.subspan(1), 0);
}

void append_json(std::string& out, const JsonNode& node) {
  if (node.kind == JsonNode::Kind::scalar) {
    out += node.text;
    return;
  }
  const bool object = node.kind == JsonNode::Kind::object;
  out += object ? '{' : '[';
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) out += ", ";
    if (object) out += json_quoted(node.keys[i]) + ": ";
    append_json(out, node.children[i]);
  }
  out += object ? '}' : ']';
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string json_number(double value) {
  char buffer[32];
  const auto [end, failure] =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const auto mark = text.find('e');
  std::string sign, digits;
  for (const char c : text.substr(0, mark)) {
    if (c == '-') sign = "-";
    if (c >= '0' && c <= '9') digits += c;
  }
  int exponent = 0;
  const bool negative = text[mark + 1] == '-';
  std::from_chars(text.data() + mark + 2, text.data() + text.size(), exponent);
  if (negative) exponent = -exponent;
  if (digits == "0") return sign + "0.0";
  const int count = static_cast<int>(digits.size());
  constexpr int kDigits = 15;  // of a double that are always right; beyond these the server writes exponents
  if (exponent < -kDigits || exponent >= kDigits) {
    if (count > 1) digits.insert(1, ".");
    return fmt::format("{}{}e{}", sign, digits, exponent);
  }
  if (exponent < 0) return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  if (count <= exponent + 1) {
    return sign + digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
  }
  digits.insert(static_cast<std::size_t>(exponent) + 1, ".");
  return sign + digits;
}

}  // namespace maia::mysql
