// SPDX-License-Identifier: Apache-2.0
// A target that counts what the driver gives it, and breaks at a mutation when MAIA_DRIVER_TEST_BREAK is set.
#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

struct Seen {
  int seeds = 0;
  int others = -1;  // the empty input comes first
  bool longer = false;
  bool shorter = false;

  ~Seen() {
    fmt::print("seen {} seeds, {} mutations, some {}, some {}\n", seeds, others, longer ? "longer" : "equal",
               shorter ? "shorter" : "equal");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static Seen seen;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const bool is_seed = input == "first seed" || input == "second, longer seed";
  if (is_seed && seen.seeds < 2) {
    ++seen.seeds;
    return 0;
  }
  if (++seen.others == 100 && std::getenv("MAIA_DRIVER_TEST_BREAK") != nullptr) std::abort();
  seen.longer |= size > 19;
  seen.shorter |= size > 0 && size < 10;
  return 0;
}
