// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/column_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <span>

#include "maia/connectors/mysql/fixed_binary.h"
#include "maia/connectors/mysql/json_node.h"

namespace maia::mysql {
namespace {

Error malformed() {
  return Error{.code = Error::Code::corruption, .message = "a value in the binary log is damaged"};
}

/// Bytes of the length in front of a text or blob; 0 for other types.
unsigned length_bytes(const WireColumn& wire) {
  switch (wire.type) {
    case WireType::varchar:
    case WireType::string: return wire.meta < 256 ? 1 : 2;
    case WireType::blob:
    case WireType::json:
    case WireType::vector:
    case WireType::geometry: return wire.meta;
    default: return 0;
  }
}

bool is_text(std::string_view name) { return name.ends_with("text") || name == "char" || name == "varchar"; }

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_shape(std::string_view name) {
  return is_one_of(name, {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
                          "multipolygon", "geometrycollection", "geomcollection"});
}

}  // namespace

bool fits(const WireColumn& wire, const NativeType& native) {
  if (wire.is_unsigned && is_number(wire.type) && *wire.is_unsigned != native.is_unsigned) return false;
  const std::string_view name = native.name;
  switch (wire.type) {
    case WireType::tiny: return name == "tinyint";
    case WireType::small: return name == "smallint";
    case WireType::medium: return name == "mediumint";
    case WireType::integer: return name == "int";
    case WireType::big: return name == "bigint";
    case WireType::float32: return name == "float";
    case WireType::float64: return name == "double";
    case WireType::decimal:
      return name == "decimal" && native.length == wire.meta >> 8U && native.scale == (wire.meta & 0xFFU);
    case WireType::year: return name == "year";
    case WireType::date:
    case WireType::date_old: return name == "date";
    case WireType::time: return name == "time" && (native.has_length ? native.length : 0) == wire.meta;
    case WireType::time_old: return name == "time";
    case WireType::datetime:
      return name == "datetime" && (native.has_length ? native.length : 0) == wire.meta;
    case WireType::datetime_old: return name == "datetime";
    case WireType::timestamp:
      return name == "timestamp" && (native.has_length ? native.length : 0) == wire.meta;
    case WireType::timestamp_old: return name == "timestamp";
    case WireType::bit:
      return name == "bit" &&
             (native.has_length ? native.length : 1) == (wire.meta >> 8) * 8U + (wire.meta & 0xFF);
    case WireType::varchar: return name == "varchar" || name == "varbinary";
    case WireType::string: return is_one_of(name, {"char", "binary", "uuid", "inet6", "inet4"});
    case WireType::blob: return name.ends_with("text") || name.ends_with("blob") || is_shape(name);
    case WireType::json: return name == "json";
    case WireType::vector: return name == "vector";
    case WireType::geometry: return is_shape(name);
    case WireType::enumeration:
    case WireType::set: {
      if (name != (wire.type == WireType::set ? "set" : "enum")) return false;
      return !wire.labels || wire.labels->size() == native.labels.size();
    }
    default: return false;
  }
}

Result<ColumnDecoder> ColumnDecoder::make(const WireColumn& wire, NativeType native, Type type,
                                          ZeroDates zero) {
  if (wire.type == WireType::varchar_compressed || wire.type == WireType::blob_compressed) {
    return Error{.code = Error::Code::unsupported,
                 .message = "a column is COMPRESSED, and its values in the binary log are not read",
                 .hint = "take the attribute away (ALTER TABLE), or leave the table out with `tables`"};
  }
  const bool text = is_text(native.name);
  auto charset = MAIA_TRY(CharsetDecoder::make(text ? std::string_view(native.charset) : ""));
  return ColumnDecoder(wire, std::move(native), std::move(type), zero, std::move(charset));
}

ByteView ColumnDecoder::take(WireReader& in) const { return in.bytes(size_of(in)); }

std::size_t ColumnDecoder::size_of(WireReader in) const {
  switch (wire_.type) {
    case WireType::tiny:
    case WireType::year: return 1;
    case WireType::small: return 2;
    case WireType::medium:
    case WireType::date:
    case WireType::date_old:
    case WireType::time_old: return 3;
    case WireType::integer:
    case WireType::float32:
    case WireType::timestamp_old: return 4;
    case WireType::big:
    case WireType::float64:
    case WireType::datetime_old: return 8;
    case WireType::timestamp: return 4 + fraction_bytes(wire_.meta);
    case WireType::datetime: return 5 + fraction_bytes(wire_.meta);
    case WireType::time: return 3 + fraction_bytes(wire_.meta);
    case WireType::bit: return (wire_.meta >> 8) + ((wire_.meta & 0xFF) != 0 ? 1U : 0U);
    case WireType::enumeration:
    case WireType::set: return wire_.meta;
    case WireType::decimal: return packed_decimal_size(wire_.meta >> 8, wire_.meta & 0xFF);
    default: {
      const auto prefix = length_bytes(wire_);
      const auto length = in.little(std::min(prefix, 8U));
      return prefix + (length < SIZE_MAX / 2 ? static_cast<std::size_t>(length) : SIZE_MAX / 2);
    }
  }
}

Status ColumnDecoder::push(ByteView value, ColumnVector& to) {
  WireReader in(value);
  switch (wire_.type) {
    case WireType::varchar:
    case WireType::string:
    case WireType::blob:
    case WireType::json:
    case WireType::vector:
    case WireType::geometry: return push_bytes(value.subspan(length_bytes(wire_)), to);
    case WireType::enumeration:
    case WireType::set: push_labels(in.little(wire_.meta), to); return {};
    case WireType::bit: push_bits(to, value, (wire_.meta >> 8) * 8U + (wire_.meta & 0xFF)); return {};
    case WireType::timestamp:
    case WireType::timestamp_old:
    case WireType::datetime:
    case WireType::datetime_old:
    case WireType::date:
    case WireType::date_old:
    case WireType::time:
    case WireType::time_old: return push_moment(in, to);
    default: return push_number(in, to);
  }
}

Status ColumnDecoder::push_bytes(ByteView value, ColumnVector& to) {
  if (wire_.type == WireType::json) {
    std::string text;
    append_json(text, MAIA_TRY(parse_json(value)));
    to.push_text(text);
    return {};
  }
  if (wire_.type == WireType::vector) return push_vector(to, value);
  if (wire_.type == WireType::string && !is_text(native_.name)) return push_fixed_bytes(value, to);
  to.push_text(MAIA_TRY(charset_.decode(as_text(value))));
  return {};
}

/// BINARY and what MariaDB keeps as such. Zero bytes at the end are not in the log.
Status ColumnDecoder::push_fixed_bytes(ByteView value, ColumnVector& to) {
  Bytes whole(value.begin(), value.end());
  if (native_.name == "binary") {
    whole.resize(std::max<std::size_t>(whole.size(), native_.has_length ? native_.length : 1));
    to.push_text(as_text(whole));
    return {};
  }
  if (native_.name == "uuid") {
    whole.resize(16);
    to.push_fixed(uuid_of_mariadb(whole));
    return {};
  }
  whole.resize(native_.name == "inet4" ? 4 : 16);
  to.push_text(address_text(whole));
  return {};
}

Status ColumnDecoder::push_number(WireReader& in, ColumnVector& to) {
  const auto whole = [&](unsigned size) {
    auto bits = in.little(size);
    const auto unused = 64 - 8 * size;
    if (!native_.is_unsigned)
      bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << unused) >> unused);
    return push_integer(to, type_, native_.is_unsigned, bits);
  };
  switch (wire_.type) {
    case WireType::tiny: return whole(1);
    case WireType::small: return whole(2);
    case WireType::medium: return whole(3);
    case WireType::integer: return whole(4);
    case WireType::big: return whole(8);
    case WireType::year: {
      const auto year = in.u8();
      return push_integer(to, type_, true, year == 0 ? 0 : 1900U + year);
    }
    case WireType::float32: {
      const auto bits = in.u32();
      float number = 0;
      std::memcpy(&number, &bits, sizeof number);
      to.push_fixed(number);
      return {};
    }
    case WireType::float64: {
      const auto bits = in.u64();
      double number = 0;
      std::memcpy(&number, &bits, sizeof number);
      to.push_fixed(number);
      return {};
    }
    case WireType::decimal: {
      std::string text;
      if (!append_packed_decimal(text, in, wire_.meta >> 8, wire_.meta & 0xFF)) return malformed();
      return push_decimal(to, type_, text);
    }
    default: return malformed();
  }
}

Status ColumnDecoder::push_moment(WireReader& in, ColumnVector& to) {
  switch (wire_.type) {
    case WireType::time: return push_time(to, read_time(in, wire_.meta));
    case WireType::time_old: return push_time(to, read_time_old(in));
    case WireType::datetime: return push_calendar(to, type_, read_datetime(in, wire_.meta), zero_);
    case WireType::datetime_old: return push_calendar(to, type_, read_datetime_old(in), zero_);
    case WireType::date:
    case WireType::date_old: return push_calendar(to, type_, read_date(in), zero_);
    default: break;
  }
  const auto micros =
      wire_.type == WireType::timestamp ? read_timestamp(in, wire_.meta) : read_timestamp_old(in);
  if (!micros) {
    if (zero_ == ZeroDates::refuse) return zero_date();
    to.push_null();
    return {};
  }
  to.push_fixed(*micros);
  return {};
}

void ColumnDecoder::push_labels(std::uint64_t bits, ColumnVector& to) {
  const auto& labels = native_.labels;
  if (wire_.type == WireType::enumeration) {
    // Number 0 is what a server that is not strict keeps of a wrong label; it prints nothing for it.
    to.push_text(bits >= 1 && bits <= labels.size() ? labels[bits - 1] : std::string());
    return;
  }
  std::string text;
  bool any = false;
  for (std::size_t i = 0; i < labels.size() && i < 64; ++i) {
    if ((bits >> i & 1) == 0) continue;
    if (std::exchange(any, true)) text += ',';
    text += labels[i];
  }
  to.push_text(text);
}

}  // namespace maia::mysql
