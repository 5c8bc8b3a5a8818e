// SPDX-License-Identifier: Apache-2.0
// A live shop in a scratch PostgreSQL, mirrored by maia into a DuckDB file: snapshot, then stream, while
// people shop. At the end both sides are compared row by row. Leaves nothing running and nothing behind.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "maia/testing/child_process.h"
#include "maia/testing/postgres_server.h"
#include "maia/testing/temporary_directory.h"
#include "report.h"
#include "shop.h"
#include "watch.h"
#include "workload.h"

namespace maia::demo {
namespace {

/// The first interrupt closes the shop, the second gives up.
volatile sig_atomic_t g_interrupts = 0;

constexpr std::chrono::milliseconds kLook{20};

struct Arguments {
  std::string maia = "build/release/maia";
  int seconds = 30;
  ShopSize shop;
};

std::optional<int> positive(std::string_view text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

Result<Arguments> parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const bool last = i + 1 == count;
    if (word == "--maia" && !last) {
      arguments.maia = words[++i];
    } else if (word == "--seconds" && !last && positive(words[i + 1])) {
      arguments.seconds = *positive(words[++i]);
    } else if (word == "--orders" && !last && positive(words[i + 1])) {
      arguments.shop.orders = static_cast<std::uint64_t>(*positive(words[++i]));
    } else {
      return Error{Error::Code::invalid_config, Recovery::halt, fmt::format("unknown argument {}", word),
                   "./dev demo [--seconds N] [--orders N]"};
    }
  }
  return arguments;
}

/// Where a child's output goes to be seen: the terminal itself, so that it can draw on it, or our own output.
std::filesystem::path screen() { return isatty(STDOUT_FILENO) ? "/dev/tty" : "/dev/stdout"; }

Result<testing::ChildProcess> start_maia(const Arguments& arguments, const std::filesystem::path& directory,
                                         bool until_caught_up) {
  std::vector<std::string> command{arguments.maia, "run", directory / "shop.yaml", "--state",
                                   directory / "state"};
  if (until_caught_up) command.emplace_back("--until-caught-up");
  return testing::ChildProcess::start(
      {.command = std::move(command), .output = screen(), .environment = {}, .standard_input = -1});
}

Error failed(std::string what) {
  return Error{Error::Code::internal, Recovery::halt, std::move(what), "the lines above say why"};
}

void say(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);  // before a child writes to the same place
}

/// Until the shop closes; an error if maia does not last so long.
Status watch(testing::ChildProcess& maia, Watch& watch, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (g_interrupts == 0 && std::chrono::steady_clock::now() < end) {
    if (maia.poll()) return failed("maia ended by itself");
    watch.look();
    std::this_thread::sleep_for(kLook);
  }
  return {};
}

/// Waits for the end of a maia that was told to end.
Status end_of(testing::ChildProcess& maia, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end) {
    if (const auto exit = maia.poll()) {
      return *exit == 0 ? Status() : failed(fmt::format("maia ended with {}", *exit));
    }
    // It has a session of its own, which a Ctrl-C at our terminal does not reach.
    if (g_interrupts > 1) return Error{Error::Code::cancelled, Recovery::halt, "given up", ""};
    std::this_thread::sleep_for(kLook);
  }
  return failed(fmt::format("maia did not end within {} s", limit.count()));
}

Result<bool> run(const Arguments& arguments) {
  say(fmt::format("starting a scratch PostgreSQL with a shop of {} rows ...\n", arguments.shop.rows()));
  const auto directory = MAIA_TRY(testing::TemporaryDirectory::make());
  auto server = MAIA_TRY(testing::PostgresServer::start());
  const auto uri = server->uri();
  MAIA_TRY(make_shop(uri, arguments.shop, [] { return g_interrupts > 0; }));
  const auto duckdb = directory.path() / "shop.duckdb";
  const auto file = pipeline_file(uri, duckdb);
  std::ofstream(directory.path() / "shop.yaml") << file;
  say(fmt::format("\n{}\npeople are shopping; Ctrl-C or {} seconds end it\n\n", file, arguments.seconds));

  Workload workload(uri, arguments.shop, 3);
  {
    auto maia = MAIA_TRY(start_maia(arguments, directory.path(), false));
    Watch seen(maia.pid(), directory / "state" / "shop");
    MAIA_TRY(watch(maia, seen, arguments.seconds));
    MAIA_TRY(workload.stop());
    maia.signal(SIGINT);
    MAIA_TRY(end_of(maia, std::chrono::seconds(30)));
    fmt::print("\n{} transactions; the shop is closed\n", workload.transactions());
    seen.print();
  }
  say("maia takes up where it was and drains\n\n");
  auto drain = MAIA_TRY(start_maia(arguments, directory.path(), true));
  MAIA_TRY(end_of(drain, std::chrono::minutes(5)));
  return print_report(uri, duckdb);
}

int run_program(int count, char** words) {
  struct sigaction action {};
  action.sa_handler = [](int) { g_interrupts = g_interrupts + 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // Where it is a file, our children append to it too.
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_APPEND);
  auto arguments = parse(count, words);
  if (!arguments.ok()) {
    fmt::print(stderr, "maia_demo: {}\n  {}\n", arguments.error().message, arguments.error().hint);
    return 2;
  }
  auto equal = run(*arguments);
  if (!equal.ok()) {
    std::fflush(stdout);
    fmt::print(stderr, "maia_demo: {}\n  {}\n", equal.error().message, equal.error().hint);
    return equal.error().code == Error::Code::cancelled ? 128 + SIGINT : 1;
  }
  fmt::print("\n{}\n", *equal ? "both sides hold the same rows" : "THE SIDES DIFFER");
  return *equal ? 0 : 1;
}

}  // namespace
}  // namespace maia::demo

int main(int count, char** words) { return maia::demo::run_program(count, words); }
