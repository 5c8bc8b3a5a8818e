// SPDX-License-Identifier: Apache-2.0
// links: maia_journal
// Writes windows of order rows into a journal on disk and reads them back from there: rows and megabytes a
// second, and how often memory is allocated for a row. MAIA_BENCH_ROWS says how many rows; 2,000,000 if not
// set.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <new>

#include "maia/base/disk.h"
#include "maia/journal/local_journal.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace maia;
using Steady = std::chrono::steady_clock;

constexpr std::uint64_t kRowsInWindow = 1000;

SchemaRef orders() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = "1";
  schema->name = {"public", "orders"};
  schema->columns = {
      {.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true, .id = {}},
      {.name = "customer", .type = Type::of(TypeId::int32), .id = {}},
      {.name = "total", .type = Type::of(TypeId::float64), .id = {}},
      {.name = "ordered_at", .type = Type::of(TypeId::timestamp_tz), .id = {}},
      {.name = "note", .type = Type::text(), .id = {}}};
  return schema;
}

/// One transaction of inserts; values differ, so that compression has something to do.
Window window_of(const SchemaRef& schema, std::uint64_t first) {
  Batch batch(schema);
  for (std::uint64_t i = 0; i < kRowsInWindow; ++i) {
    const auto id = static_cast<std::int64_t>(first + i);
    batch.begin_row(Op::insert, i);
    batch.mutable_after(0).push_fixed(id);
    batch.mutable_after(1).push_fixed(static_cast<std::int32_t>(id * 2'654'435'761 % 100'000));
    batch.mutable_after(2).push_fixed(static_cast<double>(id * 37 % 100'000) / 100);
    batch.mutable_after(3).push_fixed(std::int64_t{1'790'000'000'000'000} + id * 1'734);
    char note[64];
    const auto end = fmt::format_to(note, "delivered to the neighbour on the left, door {}", id % 977);
    batch.mutable_after(4).push_text({note, static_cast<std::size_t>(end - note)});
    batch.finish_row();
  }
  Window window;
  window.end.token = std::to_string(first);
  window.transactions.push_back({window.end, "1", static_cast<WallMicros>(first), 0});
  window.items.emplace_back(std::move(batch));
  return window;
}

/// Time and allocations from its making, or from each `go_on`, to each `pause`.
class Measurement {
 public:
  void pause() {
    spent_ += Steady::now() - began_;
    made_ += allocations - before_;
  }
  void go_on() {
    before_ = allocations;
    began_ = Steady::now();
  }
  void print(const char* what, std::uint64_t rows, std::uint64_t values, std::uint64_t disk) const {
    const auto seconds = std::chrono::duration<double>(spent_).count();
    fmt::print(
        "{:<28} {:>9.0f} rows/s {:>7.1f} MB/s of values {:>7.1f} MB/s of journal {:>7.4f} allocations/row\n",
        what, static_cast<double>(rows) / seconds, static_cast<double>(values) / seconds / 1e6,
        static_cast<double>(disk) / seconds / 1e6, static_cast<double>(made_) / static_cast<double>(rows));
  }

 private:
  Steady::time_point began_ = Steady::now();
  Steady::duration spent_{};
  std::uint64_t before_ = allocations;
  std::uint64_t made_ = 0;
};

template <class T>
T value_of(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

}  // namespace

int main() {
  const char* asked = std::getenv("MAIA_BENCH_ROWS");
  const std::uint64_t rows = asked ? std::strtoull(asked, nullptr, 10) : 2'000'000;
  const auto directory =
      std::filesystem::temp_directory_path() / fmt::format("maia-journal-bench-{}", ::getpid());
  const auto schema = orders();
  std::uint64_t values = 0;
  auto journal = value_of(LocalJournal::open(system_disk(), {.directory = directory.string()}));
  Measurement writing;
  writing.pause();
  for (std::uint64_t first = 0; first < rows; first += kRowsInWindow) {
    auto window = window_of(schema, first);
    values += window.byte_size();
    writing.go_on();
    value_of(journal->append({StreamEvent::Changes{std::move(window)}}));
    if (first % (kRowsInWindow * 100) == 0) value_of(journal->sync());
    writing.pause();
  }
  const auto disk = journal->disk_bytes();
  writing.print("append, sync each 100,000", rows, values, disk);

  journal.reset();
  journal = value_of(LocalJournal::open(system_disk(), {.directory = directory.string()}));
  const auto cursor = value_of(journal->read(Sequence{0}));
  std::uint64_t read = 0;
  Measurement reading;
  while (const auto window = value_of(cursor->next(std::chrono::milliseconds(0), {})))
    read += (*window)->rows();
  reading.pause();
  reading.print("read from the files", read, values, disk);
  std::filesystem::remove_all(directory);
  return read == rows ? 0 : 1;
}
