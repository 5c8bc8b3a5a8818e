// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/position.h"

#include <string_view>

namespace maia::mysql {
namespace {

constexpr std::string_view kMysql = "mysql:";
constexpr std::string_view kMariadb = "mariadb:";

std::partial_ordering order(const GtidSet& a, const GtidSet& b) {
  const bool has_b = a.contains(b);
  const bool in_b = b.contains(a);
  if (has_b && in_b) return std::partial_ordering::equivalent;
  if (has_b) return std::partial_ordering::greater;
  return in_b ? std::partial_ordering::less : std::partial_ordering::unordered;
}

}  // namespace

std::string LogPlace::text() const {
  return std::visit([](const auto& each) { return each.text(); }, passed);
}

Position LogPlace::position() const {
  auto token = std::string(mariadb() ? kMariadb : kMysql) + text();
  if (read_from) token += "|" + read_from->text();
  return Position{std::move(token)};
}

Result<LogPlace> LogPlace::parse(bool mariadb, std::string_view text) {
  if (mariadb) return LogPlace{MAIA_TRY(DomainPositions::parse(text))};
  return LogPlace{MAIA_TRY(GtidSet::parse(text))};
}

Result<LogPlace> LogPlace::parse(const Position& position) {
  const std::string_view token = position.token;
  for (const auto prefix : {kMysql, kMariadb}) {
    if (!token.starts_with(prefix)) continue;
    const auto rest = token.substr(prefix.size());
    const auto bar = prefix == kMariadb ? rest.find('|') : rest.npos;
    auto place = parse(prefix == kMariadb, rest.substr(0, bar));
    if (!place.ok()) break;
    if (bar == rest.npos) return place;
    auto read_from = DomainPositions::parse(rest.substr(bar + 1));
    if (!read_from.ok()) break;
    place->read_from = std::move(read_from).value();
    return place;
  }
  return Error{Error::Code::corruption, Recovery::halt,
               "a saved position is not one of a MySQL or MariaDB source",
               "the checkpoint belongs to another kind of source, or it is damaged"};
}

std::partial_ordering compare(const Position& a, const Position& b) {
  if (a == b) return std::partial_ordering::equivalent;
  if (a.empty() || b.empty()) return !a.empty() <=> !b.empty();
  const auto left = LogPlace::parse(a);
  const auto right = LogPlace::parse(b);
  if (!left.ok() || !right.ok() || left->mariadb() != right->mariadb()) {
    return std::partial_ordering::unordered;
  }
  if (left->mariadb()) {
    return std::get<DomainPositions>(left->passed).compare(std::get<DomainPositions>(right->passed));
  }
  return order(std::get<GtidSet>(left->passed), std::get<GtidSet>(right->passed));
}

}  // namespace maia::mysql
