// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: `program CORPUS_DIRECTORY`. First every file of the corpus (and the
// empty input), then mutations of them from a fixed seed, so that a failure comes back at the next run. The
// input that breaks the target is written to `broken-input` in the working directory.
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

using Input = std::vector<std::uint8_t>;

constexpr int kMutations = 4096;
constexpr std::size_t kMaxSize = 64 * 1024;
constexpr std::uint8_t kEdges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '\'', '"', '\\', '\n'};

const Input* running = nullptr;

/// Async-signal-safe.
void keep_running_input() {
  if (running == nullptr) return;
  const int file = open("broken-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  std::size_t written = 0;
  while (file >= 0 && written < running->size()) {
    const auto count = write(file, running->data() + written, running->size() - written);
    if (count <= 0) break;
    written += static_cast<std::size_t>(count);
  }
  constexpr char kNote[] = "the input is in broken-input\n";
  [[maybe_unused]] const auto noted = write(STDERR_FILENO, kNote, sizeof kNote - 1);
  running = nullptr;
}

void on_signal(int number) {
  keep_running_input();
  _exit(128 + number);
}

void run(const Input& input) {
  running = &input;
  LLVMFuzzerTestOneInput(input.data(), input.size());
  running = nullptr;
}

class Mutator {
 public:
  explicit Mutator(std::vector<Input> seeds) : seeds_(std::move(seeds)) {}

  Input next() {
    Input input = seeds_[below(seeds_.size())];
    for (std::size_t steps = 1 + below(4); steps > 0; --steps) change(input);
    if (input.size() > kMaxSize) input.resize(kMaxSize);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) {
    return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit);
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(below(256)); }
  static auto at(Input& input, std::size_t place) {
    return input.begin() + static_cast<Input::difference_type>(place);
  }

  void change(Input& input) {
    const auto place = below(input.size());
    const auto count = std::min(1 + below(8), input.size() - place);
    switch (input.empty() ? 3 : below(7)) {
      case 0: input[place] ^= static_cast<std::uint8_t>(1 << below(8)); break;
      case 1: input[place] = kEdges[below(std::size(kEdges))]; break;
      case 2: input.resize(place); break;
      case 3: input.insert(at(input, place), 1 + below(8), byte()); break;
      case 4: input.erase(at(input, place), at(input, place + count)); break;
      case 5: {
        const Input piece(at(input, place), at(input, place + count));
        input.insert(at(input, place), piece.begin(), piece.end());
        break;
      }
      default: {
        const Input& other = seeds_[below(seeds_.size())];
        input.resize(place);
        input.insert(input.end(), other.begin() + static_cast<Input::difference_type>(below(other.size())),
                     other.end());
        break;
      }
    }
  }

  std::vector<Input> seeds_;
  std::mt19937_64 random_{1};
};

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Input> seeds;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "usage: {} CORPUS_DIRECTORY\n", arguments[0]);
    return 2;
  }
  for (const int number : {SIGABRT, SIGILL, SIGTRAP}) signal(number, on_signal);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_running_input);

  auto seeds = read_corpus(arguments[1]);
  const auto files = seeds.size();
  run({});
  for (const auto& seed : seeds) run(seed);
  if (seeds.empty()) seeds.emplace_back();
  Mutator mutator(std::move(seeds));
  for (int i = 0; i < kMutations; ++i) run(mutator.next());
  fmt::print("ran {} files of the corpus and {} mutations\n", files, kMutations);
  return 0;
}
