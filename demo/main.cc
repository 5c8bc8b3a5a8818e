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

volatile sig_atomic_t g_interrupted = 0;

struct Arguments {
  std::string maia = "build/release/maia";
  int seconds = 30;
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
    } else {
      return Error{Error::Code::invalid_config, Recovery::halt, fmt::format("unknown argument {}", word),
                   "./dev demo [--seconds N]"};
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

void watch(testing::ChildProcess& maia, Watch& watch, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!g_interrupted && std::chrono::steady_clock::now() < end && !maia.poll()) {
    watch.look();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Error failed(std::string what) {
  return Error{Error::Code::internal, Recovery::halt, std::move(what), "the lines above say why"};
}

Result<bool> run(const Arguments& arguments) {
  fmt::print("starting a scratch PostgreSQL with a shop of a million rows ...\n");
  std::fflush(stdout);
  const auto directory = MAIA_TRY(testing::TemporaryDirectory::make());
  auto server = MAIA_TRY(testing::PostgresServer::start());
  const auto uri = server->uri();
  MAIA_TRY(make_shop(uri));
  const auto duckdb = directory.path() / "shop.duckdb";
  const auto file = pipeline_file(uri, duckdb);
  std::ofstream(directory.path() / "shop.yaml") << file;
  fmt::print("\n{}\npeople are shopping; Ctrl-C or {} seconds end it\n\n", file, arguments.seconds);
  std::fflush(stdout);

  Workload workload(uri, 3);
  {
    auto maia = MAIA_TRY(start_maia(arguments, directory.path(), false));
    Watch seen(maia.pid(), directory / "state" / "shop");
    watch(maia, seen, arguments.seconds);
    MAIA_TRY(workload.stop());
    // It has a session of its own, which a Ctrl-C at our terminal does not reach.
    if (maia.poll()) return failed("maia ended by itself");
    maia.signal(SIGINT);
    if (maia.wait(std::chrono::seconds(30)) != 0) return failed("maia did not end well");
    fmt::print("\n{} transactions; the shop is closed\n", workload.transactions());
    seen.print();
  }
  fmt::print("maia takes up where it was and drains\n\n");
  std::fflush(stdout);
  auto drain = MAIA_TRY(start_maia(arguments, directory.path(), true));
  if (drain.wait(std::chrono::minutes(5)) != 0) return failed("maia did not drain");
  return print_report(uri, duckdb);
}

int run_program(int count, char** words) {
  struct sigaction action {};
  action.sa_handler = [](int) { g_interrupted = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  auto arguments = parse(count, words);
  if (!arguments.ok()) {
    fmt::print(stderr, "maia_demo: {}\n  {}\n", arguments.error().message, arguments.error().hint);
    return 2;
  }
  auto equal = run(*arguments);
  if (!equal.ok()) {
    fmt::print(stderr, "maia_demo: {}\n  {}\n", equal.error().message, equal.error().hint);
    return 1;
  }
  fmt::print("\n{}\n", *equal ? "both sides hold the same rows" : "THE SIDES DIFFER");
  return *equal ? 0 : 1;
}

}  // namespace
}  // namespace maia::demo

int main(int count, char** words) { return maia::demo::run_program(count, words); }
