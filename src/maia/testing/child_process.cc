// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "maia/testing/temporary_directory.h"

namespace maia::testing {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (auto& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

/// The test's environment with the given lines in place of those of the same name.
std::vector<std::string> merged_environment(const std::vector<std::string>& ours) {
  std::vector<std::string> result = ours;
  for (char** line = environ; *line != nullptr; ++line) {
    const std::string_view entry = *line;
    const auto name = entry.substr(0, entry.find('=') + 1);
    bool replaced = false;
    for (const auto& own : ours) replaced |= own.starts_with(name);
    if (!replaced) result.emplace_back(entry);
  }
  return result;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const Options& options) {
  // Opened here and not by the child, which neither has our terminal nor, for a moment, a standard output.
  const int output = open(options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) {
    return Error{.code = Error::Code::storage,
                 .message = "open " + options.output.string() + ": " + std::strerror(errno)};
  }
  auto command = options.command;
  auto environment = merged_environment(options.environment);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (options.standard_input >= 0) {
    posix_spawn_file_actions_adddup2(&files, options.standard_input, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);

  pid_t pid = -1;
  const int failure = posix_spawnp(&pid, command.front().c_str(), &files, &attributes,
                                   pointers(command).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  close(output);
  if (failure != 0) {
    return Error{.code = Error::Code::unavailable,
                 .message = "start " + command.front() + ": " + std::strerror(failure)};
  }
  return ChildProcess(pid);
}

Status ChildProcess::run(const std::vector<std::string>& command) {
  auto directory = MAIA_TRY(TemporaryDirectory::make());
  auto child = MAIA_TRY(start({.command = command, .output = directory / "output"}));
  const auto exit = child.wait(std::chrono::minutes(5));
  if (exit == 0) return {};
  std::stringstream output;
  output << std::ifstream(directory / "output").rdbuf();
  auto text = output.str();
  if (text.size() > 2000) text.erase(0, text.size() - 2000);
  return Error{.code = Error::Code::unavailable,
               .message = joined(command) + (exit ? " ended with " + std::to_string(*exit) : " did not end") +
                          ": " + text};
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), exit_(std::exchange(other.exit_, {})) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(exit_, other.exit_);
  return *this;
}

ChildProcess::~ChildProcess() { kill9(); }

std::optional<int> ChildProcess::poll() {
  if (exit_ || pid_ < 0) return exit_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_;
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!poll() && pid_ >= 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return exit_;
}

void ChildProcess::signal(int number) {
  if (pid_ > 0 && !poll()) ::kill(pid_, number);
}

void ChildProcess::kill9() {
  signal(SIGKILL);
  wait(std::chrono::minutes(1));
}

}  // namespace maia::testing
