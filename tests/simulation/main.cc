// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "shrink.h"
#include "world.h"

namespace maia::simulation {
namespace {

constexpr std::string_view kUsage =
    "usage: ./dev sim [--seed N] [--runs N] [--part I/N] [--drop LIST] [--flaw NAME] [--trace] [--twice] "
    "[--keep-going]\n"
    "  --seed N      the first seed; without --runs only this one\n"
    "  --runs N      that many seeds\n"
    "  --part I/N    one of N parts of 2,000 seeds; of 100,000 with MAIA_LONG=1 in the environment\n"
    "  --drop LIST   leaves out these events, such as 3,7,9-12\n"
    "  --flaw NAME   puts a mistake in (flaw.h), which must be found\n"
    "  --trace       tells what happens\n"
    "  --twice       runs each seed twice and compares what happened\n"
    "  --keep-going  goes on after a failure, and only names it\n";

struct Arguments {
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> runs;
  Dropped dropped;
  Flaw flaw = Flaw::none;
  bool trace = false;
  bool twice = false;
  bool keep_going = false;
};

void take_part(const std::string& part, Arguments& arguments) {
  const std::uint64_t all = std::getenv("MAIA_LONG") ? 100'000 : 2'000;
  const auto number = std::stoull(part);
  arguments.runs = all / std::stoull(part.substr(part.find('/') + 1));
  arguments.seed = 1 + (number - 1) * *arguments.runs;
}

bool take_value(const std::string& word, const std::string& value, Arguments& arguments) {
  if (word == "--seed") {
    arguments.seed = std::stoull(value);
  } else if (word == "--runs") {
    arguments.runs = std::stoull(value);
  } else if (word == "--part") {
    take_part(value, arguments);
  } else if (word == "--drop") {
    arguments.dropped = parse_dropped(value);
  } else if (word == "--flaw" && flaw_named(value)) {
    arguments.flaw = *flaw_named(value);
  } else {
    return false;
  }
  return true;
}

bool parse(int count, char** words, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--trace") {
      arguments.trace = true;
    } else if (word == "--twice") {
      arguments.twice = true;
    } else if (word == "--keep-going") {
      arguments.keep_going = true;
    } else if (i + 1 == count || !take_value(word, words[++i], arguments)) {
      fmt::print(stderr, "{}", kUsage);
      return false;
    }
  }
  return true;
}

Plan plan_of(std::uint64_t seed, Flaw flaw) {
  auto plan = Plan::of(seed);
  plan.setup.source.flaw = flaw;
  return plan;
}

/// Tells the failure as shortly as it can be told, with the line that replays it; false if that line does
/// not.
bool report(const Plan& plan, const Dropped& given, const std::string& failure) {
  fmt::print("seed {} fails: {}\nshrinking ...\n", plan.seed, failure);
  std::fflush(stdout);
  const auto dropped = shrink(plan, given);
  const auto outcome = World(plan, dropped, true).run();
  for (const auto& line : outcome.lines) fmt::print("{}\n", line);
  const auto flaw = plan.setup.source.flaw;
  fmt::print("\n{}\nreplay: ./dev sim --seed {}{}{}{}{} --trace\n",
             outcome.failure.value_or("it does not fail again"), plan.seed,
             flaw == Flaw::none ? "" : " --flaw ", flaw == Flaw::none ? "" : to_string(flaw),
             dropped.empty() ? "" : " --drop ", to_string(dropped));
  return outcome.failure.has_value();
}

int run(const Arguments& arguments) {
  const auto first = arguments.seed.value_or(1);
  const auto runs = arguments.runs.value_or(arguments.seed ? 1 : 1000);
  std::uint64_t hash = 0, checks = 0, steps = 0, failures = 0;
  for (std::uint64_t i = 0; i < runs; ++i) {
    const auto plan = plan_of(first + i, arguments.flaw);
    const auto outcome = World(plan, arguments.dropped, arguments.trace).run();
    for (const auto& line : outcome.lines) fmt::print("{}\n", line);
    hash = hash * 31 + outcome.hash;
    checks += outcome.checks;
    steps += outcome.steps;
    if (arguments.twice && World(plan, arguments.dropped, false).run().hash != outcome.hash) {
      fmt::print("seed {} does not do the same twice\n", plan.seed);
      return 1;
    }
    if (!outcome.failure) continue;
    if (arguments.keep_going) {
      ++failures;
      fmt::print("seed {} fails: {}\n", plan.seed, *outcome.failure);
      std::fflush(stdout);
      continue;
    }
    const bool again = report(plan, arguments.dropped, *outcome.failure);
    fmt::print("found with {} runs\n", i + 1);
    return again && arguments.flaw != Flaw::none ? 0 : 1;
  }
  fmt::print("{} runs from seed {}, {} fail: {} steps, {} comparisons, trace {:016x}\n", runs, first,
             failures, steps, checks, hash);
  return arguments.flaw != Flaw::none || failures > 0 ? 1 : 0;
}

}  // namespace
}  // namespace maia::simulation

int main(int count, char** words) {
  maia::simulation::Arguments arguments;
  if (!maia::simulation::parse(count, words, arguments)) return 2;
  return maia::simulation::run(arguments);
}
