// SPDX-License-Identifier: Apache-2.0
#include "ledger_check.h"

#include <sstream>

#include "maia/testing/ledger_workload.h"

namespace maia::tests {
namespace {

/// A report whose lines fit a screen; the notes of coins are long.
std::string shortened(const std::string& report) {
  constexpr std::size_t kShown = 100;
  std::istringstream lines(report);
  std::string text;
  for (std::string line; std::getline(lines, line);) text += line.substr(0, kShown) + "\n";
  return text;
}

}  // namespace

std::string ledger_differences(testing::ComparedSystem& source, testing::ComparedSystem& copy, int coins) {
  std::string differences;
  for (const std::string table : {"ledger", "acct", "coin"}) {
    const auto compared =
        testing::compare(source, copy, {.left = {"public", table}, .right = {"public", table}, .except = {}});
    if (!compared.ok()) {
      differences += table + ": " + compared.error().message + "\n";
    } else if (!compared->equal()) {
      differences += table + "\n" + shortened(compared->report());
    }
  }
  const auto violations = testing::ledger_violations(copy, "public", coins);
  if (!violations.ok()) return differences + violations.error().message;
  for (const auto& violation : *violations) differences += violation + "\n";
  return differences;
}

LedgerReader::LedgerReader(Open open, int coins, std::chrono::milliseconds pause)
    : open_(std::move(open)),
      coins_(coins),
      pause_(pause),
      thread_([this](const std::stop_token& stop) { look(stop); }) {}

std::vector<std::string> LedgerReader::stop() {
  thread_.request_stop();
  thread_.join();
  return violations_;
}

void LedgerReader::look(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto system = open_();
    if (system.ok()) {
      const auto violations = testing::ledger_violations(**system, "public", coins_);
      if (violations.ok()) {
        ++looks_;
        violations_.insert(violations_.end(), violations->begin(), violations->end());
      }
    }
    std::this_thread::sleep_for(pause_);
  }
}

}  // namespace maia::tests
