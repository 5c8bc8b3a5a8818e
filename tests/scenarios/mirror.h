// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/testing/child_process.h"
#include "maia/testing/compare.h"
#include "maia/testing/temporary_directory.h"

namespace maia::tests {

/// One pipeline as its users have it: a file, a state directory, and the `maia` program that is started,
/// killed and asked. The working directory is a fresh one that goes away with the object.
class Mirror {
 public:
  /// `destination` are the lines under `destination:`; "{}" in it becomes the directory.
  static Result<Mirror> make(const std::string& source_lines, const std::string& destination_lines,
                             const std::string& more_lines = {});
  /// A whole pipeline file but for its name, `mirror`; every "{}" in it becomes the directory.
  static Result<Mirror> make_of(std::string lines);

  /// The same with a whole file, in which every "{}" becomes the directory.
  static Result<Mirror> with_file(const std::string& text);
  /// Writes the file anew, in the same way.
  void write(const std::string& text);

  /// Starts `maia run`; one at a time.
  Status start(const std::vector<std::string>& more = {});
  void kill9();
  /// SIGINT, and waits for its end; the exit code.
  std::optional<int> stop();
  /// The most memory that the running process ever had resident; 0 if it does not run.
  std::uint64_t peak_memory() const;
  bool running() { return process_ && !process_->poll(); }
  /// Runs with --until-caught-up to its end. An error with the end of its log unless it exits with 0.
  Status catch_up();
  /// Runs `maia ARGUMENTS`; its standard output, or an error with it unless it exits with `expected`.
  Result<std::string> command(const std::vector<std::string>& arguments, int expected = 0);
  /// The same until its output has `text`, or an error after a minute.
  Status await(const std::vector<std::string>& arguments, const std::string& text);
  /// Of the process that runs.
  pid_t pid() const { return process_ ? process_->pid() : -1; }

  const std::filesystem::path& directory() const { return directory_.path(); }
  std::filesystem::path file() const { return directory_ / "maia.yaml"; }
  std::filesystem::path state() const { return directory_ / "state"; }
  std::string log_tail() const;

 private:
  explicit Mirror(testing::TemporaryDirectory directory) : directory_(std::move(directory)) {}
  Result<testing::ChildProcess> spawn(const std::vector<std::string>& more);

  testing::TemporaryDirectory directory_;
  std::optional<testing::ChildProcess> process_;
};

/// Where the `maia` under test is: beside the test programs of the same build.
std::string maia_program();
/// All of a file; empty if there is none.
std::string read_file(const std::filesystem::path& path);
/// Whether MAIA_LONG asks for the long form of a test.
bool long_run();

}  // namespace maia::tests
