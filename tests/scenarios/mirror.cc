// SPDX-License-Identifier: Apache-2.0
#include "mirror.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace maia::tests {
namespace {

constexpr std::chrono::seconds kStop{60};
constexpr std::chrono::minutes kCatchUp{5};
constexpr std::chrono::minutes kAwait{1};
constexpr std::chrono::milliseconds kLook{100};

std::string indented(const std::string& lines) {
  std::istringstream in(lines);
  std::string out;
  for (std::string line; std::getline(in, line);) out += "  " + line + "\n";
  return out;
}

Error failed(std::string what, std::string output) {
  return Error{Error::Code::internal, Recovery::halt,
               fmt::format("{}; its output ends with:\n{}", what, output), ""};
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string maia_program() { return MAIA_PROGRAM; }

bool long_run() { return std::getenv("MAIA_LONG") != nullptr; }

Result<Mirror> Mirror::make(const std::string& source_lines, const std::string& destination_lines,
                            const std::string& more_lines) {
  Mirror mirror(MAIA_TRY(testing::TemporaryDirectory::make()));
  auto destination = destination_lines;
  if (const auto at = destination.find("{}"); at != destination.npos) {
    destination.replace(at, 2, mirror.directory().string());
  }
  std::ofstream out(mirror.file());
  out << "name: mirror\nsource:\n"
      << indented(source_lines) << "destination:\n"
      << indented(destination) << more_lines;
  return mirror;
}

Result<Mirror> Mirror::make_of(std::string lines) {
  Mirror mirror(MAIA_TRY(testing::TemporaryDirectory::make()));
  for (auto at = lines.find("{}"); at != lines.npos; at = lines.find("{}", at)) {
    lines.replace(at, 2, mirror.directory().string());
  }
  std::ofstream(mirror.file()) << "name: mirror\n" << lines;
  return mirror;
}

Result<Mirror> Mirror::with_file(const std::string& text) {
  Mirror mirror(MAIA_TRY(testing::TemporaryDirectory::make()));
  mirror.write(text);
  return mirror;
}

void Mirror::write(const std::string& text) {
  auto written = text;
  for (auto at = written.find("{}"); at != written.npos; at = written.find("{}", at))
    written.replace(at, 2, directory().string());
  std::ofstream(file()) << written;
}

Status Mirror::await(const std::vector<std::string>& arguments, const std::string& text) {
  const auto end = std::chrono::steady_clock::now() + kAwait;
  for (;;) {
    const auto output = command(arguments);
    if (output.ok() && output->find(text) != output->npos) return {};
    if (std::chrono::steady_clock::now() > end || (process_ && !running())) {
      return failed(fmt::format("maia {} never says {}", arguments[0], text),
                    (output.ok() ? *output : output.error().message) + "\n" + log_tail());
    }
    std::this_thread::sleep_for(kLook);
  }
}

Result<testing::ChildProcess> Mirror::spawn(const std::vector<std::string>& more) {
  std::vector<std::string> words{maia_program(), "run", file(), "--state", state()};
  words.insert(words.end(), more.begin(), more.end());
  return testing::ChildProcess::start(
      {.command = std::move(words), .output = directory_ / "log", .environment = {}, .standard_input = -1});
}

Status Mirror::start(const std::vector<std::string>& more) {
  process_ = MAIA_TRY(spawn(more));
  return {};
}

void Mirror::kill9() {
  if (process_) process_->kill9();
  process_.reset();
}

std::optional<int> Mirror::stop() {
  if (!process_) return std::nullopt;
  process_->signal(SIGINT);
  const auto code = process_->wait(kStop);
  if (!code) process_->kill9();
  process_.reset();
  return code;
}

std::uint64_t Mirror::peak_memory() const {
  if (!process_) return 0;
  std::ifstream status(fmt::format("/proc/{}/status", process_->pid()));
  for (std::string word; status >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes << 10;
  }
  return 0;
}

Status Mirror::catch_up() {
  auto process = MAIA_TRY(spawn({"--until-caught-up"}));
  const auto code = process.wait(kCatchUp);
  if (code == 0) return {};
  process.kill9();
  return failed(
      code ? fmt::format("maia run --until-caught-up ended with {}", *code) : "maia did not catch up in time",
      log_tail());
}

Result<std::string> Mirror::command(const std::vector<std::string>& arguments, int expected) {
  const auto output = directory_ / "output";
  std::filesystem::remove(output);
  std::vector<std::string> words{maia_program()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto process = MAIA_TRY(testing::ChildProcess::start(
      {.command = words, .output = output, .environment = {}, .standard_input = -1}));
  const auto code = process.wait(kStop);
  auto text = read_file(output);
  if (code == expected) return text;
  process.kill9();
  return failed(fmt::format("maia {} ended with {}, not {}", arguments[0], code.value_or(-1), expected),
                text);
}

std::string Mirror::log_tail() const {
  auto text = read_file(directory_ / "log");
  constexpr std::size_t kShown = 4000;
  return text.size() > kShown ? text.substr(text.size() - kShown) : text;
}

}  // namespace maia::tests
