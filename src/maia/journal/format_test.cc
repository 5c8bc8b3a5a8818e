// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "maia/journal/journal_fixture_test.h"

namespace maia::journal {
namespace {

/// The bytes in the ```hex blocks of the format's page, up to the `|` of each line.
Bytes documented_bytes() {
  std::ifstream file(MAIA_DOCS "/reference/journal-format.md");
  Bytes bytes;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```hex";
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line.substr(0, line.find('|')));
    for (std::string word; words >> word;)
      bytes.push_back(static_cast<std::uint8_t>(std::stoi(word, nullptr, 16)));
  }
  return bytes;
}

std::string hex(ByteView bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    text += fmt::format("{:02x}{}", bytes[i], i % 16 == 15 ? "\n" : " ");
  return text;
}

TEST_F(JournalTest, the_worked_example_of_the_format_page_is_what_the_code_writes) {
  open();
  Window window;
  window.end.token = "0/10";
  window.received_at = 1'700'000'000'000'000;
  window.transactions.push_back({Position{"0/10"}, "743", 1'699'999'999'000'000, 0});
  Batch batch(narrow);
  for (const std::int64_t id : {7, 8}) {
    batch.begin_row(Op::insert, batch.rows());
    batch.mutable_after(0).push_fixed(id);
    batch.finish_row();
  }
  window.items.emplace_back(std::move(batch));
  ASSERT_TRUE(appended({StreamEvent::Changes{std::move(window)}}).ok());
  EXPECT_EQ(hex(documented_bytes()), hex(disk.contents(segment_path(kDirectory, 1))));
}

TEST_F(JournalTest, the_bytes_of_the_format_page_are_read) {
  disk.put(segment_path(kDirectory, 1), documented_bytes());
  open();
  const auto windows = read_all(*journal);
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(windows[0]->transactions.at(0).id, "743");
  const auto& batch = std::get<Batch>(windows[0]->items.at(0));
  EXPECT_EQ(*batch.schema(), *narrow);
  EXPECT_EQ(batch.after(0).fixed<std::int64_t>(1), 8);
}

}  // namespace
}  // namespace maia::journal
