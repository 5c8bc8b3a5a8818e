// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/server_place.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <system_error>

namespace maia::testing {
namespace {

namespace fs = std::filesystem;

/// Ends the server of directory $1, whose number file $2 of it has, and removes the directory once its
/// standard input closes. It ignores the signals of a terminal, for it must outlive the test.
constexpr const char* kKeeperScript = R"(
trap '' INT TERM HUP
read -r _
pid=$(head -n 1 "$1/$2" 2>/dev/null)
if [ -n "$pid" ] && grep -qa "$1" "/proc/$pid/cmdline" 2>/dev/null; then kill -KILL "$pid"; fi
for attempt in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" && exit; sleep 0.2; done 2>/dev/null
)";

bool port_is_free(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(socket);
  return free;
}

Status copy_tree(const fs::path& from, const fs::path& to) {
  return ChildProcess::run({"cp", "-a", from.string(), to.string()});
}

/// Publishes a copy of `data` as the template, by one rename, so that programs running at once see all of it
/// or nothing.
void keep_as_template(const fs::path& data, const fs::path& kept) {
  std::error_code failure;
  fs::create_directories(kept.parent_path(), failure);
  const auto draft = kept.string() + ".draft-" + std::to_string(getpid());
  if (!failure && copy_tree(data, draft).ok()) fs::rename(draft, kept, failure);
  fs::remove_all(draft, failure);
}

}  // namespace

fs::path dependencies() {
  const char* chosen = std::getenv("MAIA_DEPS");
  return chosen != nullptr ? chosen : MAIA_DEPS;
}

int choose_port() {
  std::random_device random;
  std::uniform_int_distribution<int> range(20000, 32000);
  for (;;) {
    if (const int port = range(random); port_is_free(port)) return port;
  }
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> result;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator("/proc", failure)) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line)) continue;
    const auto after_name = line.rfind(')');  // the name may hold blanks and brackets
    std::istringstream rest(line.substr(after_name + 1));
    char state = 0;
    pid_t its_parent = 0;
    if (rest >> state >> its_parent && its_parent == parent) {
      result.push_back(static_cast<pid_t>(std::stol(entry.path().filename().string())));
    }
  }
  return result;
}

std::string tail_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  auto tail = text.str();
  if (tail.size() > 4000) tail.erase(0, tail.size() - 4000);
  return tail;
}

Result<KeptDirectory> make_kept_directory(std::string_view name, const std::string& pid_file) {
  std::string root = (fs::temp_directory_path() / ("maia-" + std::string(name) + "-XXXXXX")).string();
  int ends[2];
  if (mkdtemp(root.data()) == nullptr || pipe2(ends, O_CLOEXEC) != 0) {
    return Error{.code = Error::Code::storage, .message = "make " + root + ": " + std::strerror(errno)};
  }
  auto keeper = ChildProcess::start(
      {.command = {"sh", "-c", kKeeperScript, "keeper", root, pid_file}, .standard_input = ends[0]});
  close(ends[0]);
  if (!keeper.ok()) return std::move(keeper).error();
  return KeptDirectory{root, ends[1], std::move(keeper).value()};
}

Status make_from_template(const std::string& name, const fs::path& data,
                          const std::function<Status()>& make) {
  const auto kept = dependencies() / "templates" / (name + "-" + std::to_string(geteuid()));
  std::error_code ignored;
  if (fs::exists(kept, ignored)) return copy_tree(kept, data);
  if (auto made = make(); !made.ok()) return made;
  keep_as_template(data, kept);
  return {};
}

}  // namespace maia::testing
