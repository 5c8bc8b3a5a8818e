// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/gtid_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace maia::mysql {
namespace {

constexpr std::size_t kMostTagCharacters = 32;

Error no_gtids(std::string_view what) {
  return Error{.code = Error::Code::corruption,
               .message = fmt::format("a set of global transaction ids {}", what),
               .hint = ""};
}

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Calls `take` with each trimmed piece between the separators.
template <class Take>
Status each_piece(std::string_view text, char separator, Take&& take) {
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(separator, at), text.size());
    MAIA_TRY(take(trimmed(text.substr(at, end - at))));
    at = end + 1;
  }
  return {};
}

template <class Number>
std::optional<Number> whole(std::string_view text) {
  Number value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

std::optional<GtidSet::Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return {};
  GtidSet::Uuid uuid;
  std::size_t at = 0;
  for (auto& byte : uuid) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at++] != '-') return {};
    }
    const auto [end, failure] = std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
    if (failure != std::errc{} || end != text.data() + at + 2) return {};
    at += 2;
  }
  return uuid;
}

std::optional<std::string> parse_tag(std::string_view text) {
  std::string tag;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool digit = lower >= '0' && lower <= '9';
    if (!(lower >= 'a' && lower <= 'z') && lower != '_' && !(digit && !tag.empty())) return {};
    tag += lower;
  }
  if (tag.empty() || tag.size() > kMostTagCharacters) return {};
  return tag;
}

std::optional<GtidSet::Range> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = whole<std::uint64_t>(trimmed(text.substr(0, dash)));
  const auto last = dash == text.npos ? first : whole<std::uint64_t>(trimmed(text.substr(dash + 1)));
  if (!first || !last || *first == 0 || *last < *first || *last >= kGtidNumberEnd) return {};
  return GtidSet::Range{*first, *last};
}

/// "uuid:1-5:8:tag:1-3" of one server.
Status parse_server(std::string_view text, GtidSet& set) {
  GtidSet::Origin origin;
  bool is_first = true, has_range = false;
  MAIA_TRY(each_piece(text, ':', [&](std::string_view piece) -> Status {
    if (std::exchange(is_first, false)) {
      const auto uuid = parse_uuid(piece);
      if (!uuid) return no_gtids("has a server that is no UUID");
      origin.uuid = *uuid;
      return {};
    }
    if (const auto range = parse_range(piece)) {
      set.add(origin, *range);
      has_range = true;
      return {};
    }
    auto tag = parse_tag(piece);
    if (!tag) return no_gtids("has what is neither a range nor a tag");
    origin.tag = *std::move(tag);
    has_range = false;
    return {};
  }));
  if (!has_range) return no_gtids("names an origin without a range");
  return {};
}

/// Calls `take` with each domain and what stands behind it of "domain-server-number, ...".
template <class Take>
Status each_domain_gtid(std::string_view text, Take&& take) {
  if (trimmed(text).empty()) return {};
  return each_piece(text, ',', [&](std::string_view gtid) -> Status {
    const auto first = gtid.find('-');
    const auto second = first == gtid.npos ? first : gtid.find('-', first + 1);
    if (second == gtid.npos) return no_gtids("has what is not domain-server-number");
    const auto domain = whole<std::uint32_t>(gtid.substr(0, first));
    const auto server = whole<std::uint32_t>(gtid.substr(first + 1, second - first - 1));
    const auto number = whole<std::uint64_t>(gtid.substr(second + 1));
    if (!domain || !server || !number) return no_gtids("has what is not domain-server-number");
    return take(*domain, DomainPositions::Last{*server, *number});
  });
}

void put_u64(Bytes& out, std::uint64_t value) { ByteWriter(out).u64(value); }

/// MySQL's variable-length number: the low bits of the first byte, as many ones as bytes follow.
void put_compact(Bytes& out, std::uint64_t value) {
  unsigned more = 0;
  while (more < 8 && value >> (7 * (more + 1)) != 0) ++more;
  if (more == 8) {
    out.push_back(0xFF);
    put_u64(out, value);
    return;
  }
  const auto mark = static_cast<std::uint64_t>((1U << more) - 1);
  const auto bits = value << (more + 1) | mark;
  for (unsigned i = 0; i <= more; ++i) out.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));
}

}  // namespace

std::string to_text(const GtidSet::Uuid& uuid) {
  std::string text;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

Result<GtidSet> GtidSet::parse(std::string_view text) {
  GtidSet set;
  if (trimmed(text).empty()) return set;
  MAIA_TRY(each_piece(text, ',', [&](std::string_view server) -> Status {
    return server.empty() ? Status() : parse_server(server, set);
  }));
  return set;
}

std::string GtidSet::text() const {
  std::string text;
  const Origin* before = nullptr;
  for (const auto& [origin, ranges] : ranges_) {
    if (before == nullptr || before->uuid != origin.uuid) {
      if (before != nullptr) text += ',';
      text += to_text(origin.uuid);
    }
    if (!origin.tag.empty()) text += ':' + origin.tag;
    for (const auto& range : ranges) {
      text += fmt::format(":{}", range.first);
      if (range.last != range.first) text += fmt::format("-{}", range.last);
    }
    before = &origin;
  }
  return text;
}

void GtidSet::add(const Origin& origin, Range range) {
  auto& ranges = ranges_[origin];
  if (!ranges.empty() && ranges.back().last + 1 == range.first) {  // nearly always
    ranges.back().last = range.last;
    return;
  }
  auto at = std::lower_bound(ranges.begin(), ranges.end(), range.first,
                             [](const Range& each, std::uint64_t first) { return each.last + 1 < first; });
  auto end = at;
  for (; end != ranges.end() && end->first <= range.last + 1; ++end) {
    range.first = std::min(range.first, end->first);
    range.last = std::max(range.last, end->last);
  }
  at = ranges.erase(at, end);
  ranges.insert(at, range);
}

void GtidSet::add(const GtidSet& other) {
  if (&other == this) return;
  for (const auto& [origin, ranges] : other.ranges_) {
    for (const auto& range : ranges) add(origin, range);
  }
}

void GtidSet::subtract(const GtidSet& other) {
  if (&other == this) return ranges_.clear();
  for (const auto& [origin, gone] : other.ranges_) {
    const auto found = ranges_.find(origin);
    if (found == ranges_.end()) continue;
    for (const auto& hole : gone) {
      std::vector<Range> left;
      for (const auto& range : found->second) {
        if (hole.last < range.first || range.last < hole.first) {
          left.push_back(range);
          continue;
        }
        if (range.first < hole.first) left.push_back({range.first, hole.first - 1});
        if (hole.last < range.last) left.push_back({hole.last + 1, range.last});
      }
      found->second = std::move(left);
    }
    if (found->second.empty()) ranges_.erase(found);
  }
}

bool GtidSet::contains(const GtidSet& other) const {
  for (const auto& [origin, ranges] : other.ranges_) {
    const auto found = ranges_.find(origin);
    if (found == ranges_.end()) return false;
    const auto holds = [&](const Range& inner) {
      return std::any_of(found->second.begin(), found->second.end(), [&](const Range& outer) {
        return outer.first <= inner.first && inner.last <= outer.last;
      });
    };
    if (!std::all_of(ranges.begin(), ranges.end(), holds)) return false;
  }
  return true;
}

bool GtidSet::contains(const Origin& origin, std::uint64_t number) const {
  const auto found = ranges_.find(origin);
  if (found == ranges_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const Range& range) { return range.first <= number && number <= range.last; });
}

Bytes GtidSet::encoded() const {
  constexpr std::uint64_t kTagged = 1;
  const bool tagged =
      std::any_of(ranges_.begin(), ranges_.end(), [](const auto& each) { return !each.first.tag.empty(); });
  Bytes out;
  // The outer bytes of the count tell the form, so that a server of before the tags sees a number without it.
  put_u64(out, tagged ? ranges_.size() << 8 | kTagged | kTagged << 56 : ranges_.size());
  for (const auto& [origin, ranges] : ranges_) {
    out.insert(out.end(), origin.uuid.begin(), origin.uuid.end());
    if (tagged) {
      put_compact(out, origin.tag.size());
      out.insert(out.end(), origin.tag.begin(), origin.tag.end());
    }
    put_u64(out, ranges.size());
    for (const auto& range : ranges) {
      put_u64(out, range.first);
      put_u64(out, range.last + 1);
    }
  }
  return out;
}

Result<DomainPositions> DomainPositions::parse(std::string_view text) {
  DomainPositions positions;
  MAIA_TRY(each_domain_gtid(text, [&](std::uint32_t domain, Last last) -> Status {
    if (positions.last_.emplace(domain, last).second) return {};
    return no_gtids("has a domain twice");
  }));
  return positions;
}

Result<DomainPositions::State> DomainPositions::parse_state(std::string_view text) {
  State state;
  MAIA_TRY(each_domain_gtid(text, [&](std::uint32_t domain, Last last) -> Status {
    if (state.emplace(std::pair(domain, last.server), last.number).second) return {};
    return no_gtids("has a server twice in a domain");
  }));
  return state;
}

std::string DomainPositions::text() const {
  std::string text;
  for (const auto& [domain, last] : last_) {
    text += fmt::format("{}{}-{}-{}", text.empty() ? "" : ",", domain, last.server, last.number);
  }
  return text;
}

std::partial_ordering DomainPositions::compare(const DomainPositions& other) const {
  bool less = false, greater = false;
  const auto number_of = [](const DomainPositions& all, std::uint32_t domain) {
    const auto found = all.last_.find(domain);
    return found == all.last_.end() ? 0 : found->second.number;
  };
  const auto look = [&](std::uint32_t domain) {
    const auto ours = number_of(*this, domain);
    const auto theirs = number_of(other, domain);
    less = less || ours < theirs;
    greater = greater || ours > theirs;
  };
  for (const auto& [domain, last] : last_) look(domain);
  for (const auto& [domain, last] : other.last_) look(domain);
  if (less && greater) return std::partial_ordering::unordered;
  return less      ? std::partial_ordering::less
         : greater ? std::partial_ordering::greater
                   : std::partial_ordering::equivalent;
}

}  // namespace maia::mysql
