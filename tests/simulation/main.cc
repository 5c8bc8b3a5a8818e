// SPDX-License-Identifier: Apache-2.0
// simulation [--seed N] [--runs N] [--drop LIST] [--trace] [--expect-failure]
#include <fmt/format.h>

#include <cstdio>
#include <cstring>

#include "shrink.h"
#include "world.h"

namespace maia::simulation {
namespace {

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t runs = 1000;
  Dropped dropped;
  bool trace = false;
  bool twice = false;
  bool expect_failure = false;
  bool keep_going = false;
};

bool parse(int count, char** words, Arguments& arguments) {
  bool runs_given = false;
  bool seed_given = false;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const bool has_value = i + 1 < count;
    if (word == "--seed" && has_value) {
      arguments.seed = std::stoull(words[++i]);
      seed_given = true;
    } else if (word == "--runs" && has_value) {
      arguments.runs = std::stoull(words[++i]);
      runs_given = true;
    } else if (word == "--drop" && has_value) {
      arguments.dropped = parse_dropped(words[++i]);
    } else if (word == "--trace") {
      arguments.trace = true;
    } else if (word == "--twice") {
      arguments.twice = true;
    } else if (word == "--keep-going") {
      arguments.keep_going = true;
    } else if (word == "--expect-failure") {
      arguments.expect_failure = true;
    } else {
      fmt::print(stderr,
                 "usage: sim [--seed N] [--runs N] [--drop LIST] [--trace] [--twice] [--keep-going] "
                 "[--expect-failure]\n"
                 "  --seed N           the first seed; without --runs only this one\n"
                 "  --runs N           that many seeds\n"
                 "  --drop LIST        leaves out these events, such as 3,7,9-12\n"
                 "  --trace            tells what happens\n"
                 "  --twice            runs each seed twice and compares\n"
                 "  --keep-going       goes on after a failure, and only names it\n"
                 "  --expect-failure   exits with 0 if a seed fails, with 1 if none does\n");
      return false;
    }
  }
  if (seed_given && !runs_given) arguments.runs = 1;
  return true;
}

void report(const Plan& plan, const Dropped& given, const std::string& failure) {
  fmt::print("seed {} fails: {}\nshrinking ...\n", plan.seed, failure);
  std::fflush(stdout);
  const auto dropped = shrink(plan, given);
  const auto outcome = World(plan, dropped, true).run();
  for (const auto& line : outcome.lines) fmt::print("{}\n", line);
  fmt::print("\n{}\nreplay: ./dev sim --seed {}{}{} --trace\n",
             outcome.failure.value_or("it does not fail again"), plan.seed, dropped.empty() ? "" : " --drop ",
             to_string(dropped));
}

int run(const Arguments& arguments) {
  std::uint64_t hash = 0;
  std::uint64_t checks = 0;
  std::uint64_t steps = 0;
  std::uint64_t failures = 0;
  for (std::uint64_t i = 0; i < arguments.runs; ++i) {
    const auto plan = Plan::of(arguments.seed + i);
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
      fmt::print("seed {} fails: {}\n", plan.seed, *outcome.failure);
      ++failures;
      continue;
    }
    report(plan, arguments.dropped, *outcome.failure);
    fmt::print("found with {} runs\n", i + 1);
    return arguments.expect_failure ? 0 : 1;
  }
  fmt::print("{} runs from seed {}, {} fail: {} steps, {} comparisons, trace {:016x}\n", arguments.runs,
             arguments.seed, failures, steps, checks, hash);
  return arguments.expect_failure || failures > 0 ? 1 : 0;
}

}  // namespace
}  // namespace maia::simulation

int main(int count, char** words) {
  maia::simulation::Arguments arguments;
  if (!maia::simulation::parse(count, words, arguments)) return 2;
  return maia::simulation::run(arguments);
}
