// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/destination.h"

namespace maia {
namespace {

Error cannot_compare(const TableTarget& target) {
  return {Error::Code::unsupported, Recovery::halt,
          "this destination cannot compare the rows of " + to_string(target.name) + " with the source's",
          "to begin anew: maia drop, then maia run"};
}

}  // namespace

std::vector<std::string> TableTarget::key_names() const {
  std::vector<std::string> names;
  names.reserve(key.size());
  for (const auto i : key) names.push_back(schema->columns[i].name);
  return names;
}

Status Destination::begin_staging(const TableTarget& target) { return cannot_compare(target); }

Status Destination::stage(const TableTarget& target, const Batch&) { return cannot_compare(target); }

Result<Destination::Reconciled> Destination::reconcile(const TableTarget& target, const Reconciliation&) {
  return cannot_compare(target);
}

Result<Destination::QueryResult> Destination::query(std::string_view, const QueryLimits&) {
  return Error{Error::Code::unsupported, Recovery::halt,
               "this destination does not answer queries through maia", "query it with its own client"};
}

}  // namespace maia
