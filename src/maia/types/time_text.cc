// SPDX-License-Identifier: Apache-2.0
#include "maia/types/time_text.h"

#include <charconv>
#include <limits>

#include "maia/types/calendar.h"

namespace maia {
namespace {

constexpr std::int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr std::int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
constexpr std::string_view kPlusInfinity = "infinity";
constexpr std::string_view kMinusInfinity = "-infinity";

/// Enough for the longest date with time, offset and era.
using Text = char[64];

char* put(char* at, std::string_view text) {
  for (const char c : text) *at++ = c;
  return at;
}

char* put_two(char* at, std::int64_t value) {
  *at++ = static_cast<char>('0' + value / 10);
  *at++ = static_cast<char>('0' + value % 10);
  return at;
}

/// At least four digits.
char* put_year(char* at, std::int64_t year) {
  if (year > 9999) return std::to_chars(at, at + 20, year).ptr;
  return put_two(put_two(at, year / 100), year % 100);
}

char* put_fraction(char* at, std::int64_t micros) {
  if (micros == 0) return at;
  *at++ = '.';
  for (std::int64_t unit = kMicrosPerSecond / 10; micros > 0; unit /= 10) {
    *at++ = static_cast<char>('0' + micros / unit);
    micros %= unit;
  }
  return at;
}

char* put_time(char* at, std::int64_t micros) {
  at = put_two(at, micros / kMicrosPerHour);
  *at++ = ':';
  at = put_two(at, micros / kMicrosPerMinute % 60);
  *at++ = ':';
  at = put_two(at, micros / kMicrosPerSecond % 60);
  return put_fraction(at, micros % kMicrosPerSecond);
}

char* put_month_and_day(char* at, const Civil& civil) {
  *at++ = '-';
  at = put_two(at, civil.month);
  *at++ = '-';
  return put_two(at, civil.day);
}

char* put_day(char* at, const Civil& civil) {
  return put_month_and_day(put_year(at, civil.year > 0 ? civil.year : 1 - civil.year), civil);
}

char* put_iso_day(char* at, const Civil& civil) {
  if (civil.year < 0) *at++ = '-';
  if (civil.year > 9999) *at++ = '+';
  return put_month_and_day(put_year(at, civil.year < 0 ? -civil.year : civil.year), civil);
}

bool append_infinity(std::string& out, bool plus, bool minus) {
  if (plus) out += kPlusInfinity;
  if (minus) out += kMinusInfinity;
  return plus || minus;
}

char* put_era(char* at, const Civil& civil) { return civil.year > 0 ? at : put(at, " BC"); }

/// A text that is taken from the front. Once something does not fit, `ok` stays false.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  void expect(char c) {
    if (!take({&c, 1})) ok_ = false;
  }
  /// A run of `least` to `most` digits, at most 18.
  std::int64_t digits(std::size_t least, std::size_t most) {
    std::int64_t value = 0;
    std::size_t count = 0;
    for (; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; ++count) {
      if (count == most) break;
      value = value * 10 + (rest_[count] - '0');
    }
    rest_.remove_prefix(count);
    if (count < least) ok_ = false;
    return value;
  }
  std::int64_t two(std::int64_t most) {
    const auto value = digits(2, 2);
    if (value > most) ok_ = false;
    return value;
  }
  /// Microseconds of ".5", or 0 if there is no fraction.
  std::int64_t fraction() {
    if (!take(".")) return 0;
    const auto before = rest_.size();
    auto micros = digits(1, 6);
    for (auto count = before - rest_.size(); count < 6; ++count) micros *= 10;
    return micros;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::int64_t take_time(Reader& reader, std::int64_t last_hour) {
  auto micros = reader.two(last_hour) * kMicrosPerHour;
  reader.expect(':');
  micros += reader.two(59) * kMicrosPerMinute;
  reader.expect(':');
  micros += reader.two(59) * kMicrosPerSecond;
  return micros + reader.fraction();
}

Civil take_day(Reader& reader) {
  Civil civil;
  civil.year = reader.digits(4, 7);
  reader.expect('-');
  civil.month = static_cast<unsigned>(reader.two(12));
  reader.expect('-');
  civil.day = static_cast<unsigned>(reader.two(31));
  return civil;
}

/// Seconds east of UTC.
std::int64_t take_offset(Reader& reader) {
  if (reader.take("Z")) return 0;
  const bool west = reader.take("-");
  if (!west) reader.expect('+');
  auto seconds = reader.two(23) * 3600;
  if (reader.take(":")) {
    seconds += reader.two(59) * 60;
    if (reader.take(":")) seconds += reader.two(59);
  }
  return west ? -seconds : seconds;
}

/// Ends a text: the era, then nothing more. Days since 1970, if the calendar has that day.
std::optional<std::int64_t> finish_days(Reader& reader, Civil civil) {
  const bool before_christ = reader.take(" BC");
  if (!reader.done() || civil.year == 0 || civil.month == 0 || civil.day == 0) return std::nullopt;
  if (before_christ) civil.year = 1 - civil.year;
  if (civil.day > days_in_month(civil.year, civil.month)) return std::nullopt;
  return days_from_civil(civil);
}

}  // namespace

void append_date(std::string& out, std::int32_t days) {
  if (append_infinity(out, days == kDatePlusInfinity, days == kDateMinusInfinity)) return;
  Text text;
  const auto civil = civil_from_days(days);
  out.append(text, put_era(put_day(text, civil), civil));
}

void append_iso_date(std::string& out, std::int32_t days) {
  if (append_infinity(out, days == kDatePlusInfinity, days == kDateMinusInfinity)) return;
  Text text;
  out.append(text, put_iso_day(text, civil_from_days(days)));
}

std::optional<std::int32_t> parse_date(std::string_view text) {
  if (text == kPlusInfinity) return kDatePlusInfinity;
  if (text == kMinusInfinity) return kDateMinusInfinity;
  Reader reader(text);
  const auto civil = take_day(reader);
  const auto days = finish_days(reader, civil);
  if (!days || *days <= kDateMinusInfinity || *days >= kDatePlusInfinity) return std::nullopt;
  return static_cast<std::int32_t>(*days);
}

void append_time(std::string& out, std::int64_t micros) {
  Text text;
  out.append(text, put_time(text, micros));
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  Reader reader(text);
  const auto micros = take_time(reader, 24);
  if (!reader.done() || micros > kMicrosPerDay) return std::nullopt;
  return micros;
}

void append_timestamp(std::string& out, std::int64_t micros, Zone zone) {
  if (append_infinity(out, micros == kTimestampPlusInfinity, micros == kTimestampMinusInfinity)) return;
  Text text;
  const auto [days, time] = split_micros(micros);
  const auto civil = civil_from_days(days);
  auto* at = put_day(text, civil);
  *at++ = ' ';
  at = put_time(at, time);
  if (zone == Zone::utc) at = put(at, "+00");
  out.append(text, put_era(at, civil));
}

void append_iso_timestamp(std::string& out, std::int64_t micros, Zone zone) {
  if (append_infinity(out, micros == kTimestampPlusInfinity, micros == kTimestampMinusInfinity)) return;
  Text text;
  const auto [days, time] = split_micros(micros);
  auto* at = put_iso_day(text, civil_from_days(days));
  *at++ = 'T';
  at = put_time(at, time);
  if (zone == Zone::utc) *at++ = 'Z';
  out.append(text, at);
}

std::optional<std::int64_t> parse_timestamp(std::string_view text, Zone zone) {
  if (text == kPlusInfinity) return kTimestampPlusInfinity;
  if (text == kMinusInfinity) return kTimestampMinusInfinity;
  Reader reader(text);
  const auto civil = take_day(reader);
  reader.expect(' ');
  const auto time = take_time(reader, 23);
  const auto offset = zone == Zone::utc ? take_offset(reader) : 0;
  const auto days = finish_days(reader, civil);
  if (!days) return std::nullopt;
  // An offset may bring a local time beyond the range back into it.
  const int128 micros = int128{*days} * kMicrosPerDay + time - offset * kMicrosPerSecond;
  if (micros <= kTimestampMinusInfinity || micros >= kTimestampPlusInfinity) return std::nullopt;
  return static_cast<std::int64_t>(micros);
}

namespace {

/// PostgreSQL 17 and later; earlier versions have no infinite intervals.
constexpr Interval kIntervalPlusInfinity{INT32_MAX, INT32_MAX, INT64_MAX};
constexpr Interval kIntervalMinusInfinity{INT32_MIN, INT32_MIN, INT64_MIN};

void append_part(std::string& out, std::int64_t value, char unit) {
  if (value == 0) return;
  Text text;
  auto* at = std::to_chars(text, text + sizeof text, value).ptr;
  *at++ = unit;
  out.append(text, at);
}

void append_seconds(std::string& out, std::int64_t micros) {
  if (micros == 0) return;
  Text text;
  auto* at = text;
  if (micros < 0) *at++ = '-';
  const auto magnitude = micros < 0 ? -micros : micros;
  at = std::to_chars(at, text + sizeof text, magnitude / kMicrosPerSecond).ptr;
  at = put_fraction(at, magnitude % kMicrosPerSecond);
  *at++ = 'S';
  out.append(text, at);
}

/// An interval while it is read, wide enough for sums that will turn out too large.
struct WideInterval {
  int128 months = 0;
  int128 days = 0;
  int128 micros = 0;
};

/// One part, such as -3D, added to the sum. False if it is malformed or does not come after `previous` in
/// `units`.
bool take_part(Reader& reader, std::string_view units, std::size_t& previous, WideInterval& sum) {
  const int sign = reader.take("-") ? -1 : 1;
  const int128 whole = sign * reader.digits(1, 18);
  const bool has_fraction = reader.rest().starts_with('.');
  const auto fraction = sign * reader.fraction();
  if (!reader.ok() || reader.rest().empty()) return false;
  const char unit = reader.rest().front();
  reader.expect(unit);
  const auto at = units.find(unit, previous);
  if (at == units.npos || (has_fraction && unit != 'S')) return false;
  previous = at + 1;
  switch (unit) {
    case 'Y': sum.months += whole * 12; break;
    case 'D': sum.days += whole; break;
    case 'H': sum.micros += whole * kMicrosPerHour; break;
    case 'S': sum.micros += whole * kMicrosPerSecond + fraction; break;
    default:  // M: months or minutes
      if (units.front() == 'Y')
        sum.months += whole;
      else
        sum.micros += whole * kMicrosPerMinute;
  }
  return true;
}

template <class T>
bool fits(int128 value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

}  // namespace

void append_interval(std::string& out, const Interval& interval) {
  if (append_infinity(out, interval == kIntervalPlusInfinity, interval == kIntervalMinusInfinity)) return;
  if (interval == Interval{}) return void(out += "PT0S");
  out += 'P';
  append_part(out, interval.months / 12, 'Y');
  append_part(out, interval.months % 12, 'M');
  append_part(out, interval.days, 'D');
  if (interval.micros == 0) return;
  out += 'T';
  append_part(out, interval.micros / kMicrosPerHour, 'H');
  append_part(out, interval.micros / kMicrosPerMinute % 60, 'M');
  append_seconds(out, interval.micros % kMicrosPerMinute);
}

std::optional<Interval> parse_interval(std::string_view text) {
  if (text == kPlusInfinity) return kIntervalPlusInfinity;
  if (text == kMinusInfinity) return kIntervalMinusInfinity;
  Reader reader(text);
  reader.expect('P');
  WideInterval sum;
  std::string_view units = "YMD";
  std::size_t previous = 0;
  do {
    if (units.front() == 'Y' && reader.take("T")) {
      units = "HMS";
      previous = 0;
    }
    if (!take_part(reader, units, previous, sum)) return std::nullopt;
  } while (!reader.rest().empty());
  if (!fits<std::int32_t>(sum.months) || !fits<std::int32_t>(sum.days) || !fits<std::int64_t>(sum.micros)) {
    return std::nullopt;
  }
  return Interval{static_cast<std::int32_t>(sum.months), static_cast<std::int32_t>(sum.days),
                  static_cast<std::int64_t>(sum.micros)};
}

}  // namespace maia
