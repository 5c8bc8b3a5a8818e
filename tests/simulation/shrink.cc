// SPDX-License-Identifier: Apache-2.0
#include "shrink.h"

#include <algorithm>

#include "world.h"

namespace maia::simulation {
namespace {

/// Whether two failures are of one kind: the same sentence, but for names and numbers.
std::string kind_of(const std::string& failure) {
  std::string kind;
  for (const char c : failure) {
    if (c == '(') break;
    if (c < '0' || c > '9') kind += c;
  }
  return kind.substr(0, 40);
}

}  // namespace

Dropped shrink(const Plan& plan, Dropped dropped) {
  const auto kind = [&](const Dropped& without) {
    return kind_of(World(plan, without, false).run().failure.value_or(""));
  };
  const auto wanted = kind(dropped);
  const auto fails = [&](const Dropped& without) { return kind(without) == wanted; };
  int left = 400;
  const auto count = plan.events.size();
  for (auto size = std::max<std::size_t>(1, count / 2); left > 0; size /= 2) {
    for (bool again = true; again && left > 0;) {
      again = false;
      for (std::size_t from = 0; from < count && left > 0; from += size) {
        auto without = dropped;
        for (auto i = from; i < std::min(count, from + size); ++i) without.insert(i);
        if (without == dropped || --left < 0 || !fails(without)) continue;
        dropped = std::move(without);
        again = true;
      }
    }
    if (size == 1) break;
  }
  return dropped;
}

}  // namespace maia::simulation
