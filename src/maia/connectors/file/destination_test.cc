// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/file/destination.h"

#include <gmock/gmock.h>
#include <simdjson.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "maia/connectors/file/connector.h"
#include "maia/testing/temporary_directory.h"

namespace maia::file {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SchemaRef schema_of(const std::string& table) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = table;
  schema->name = {"public", table};
  schema->columns = {{.name = "id", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true}};
  return schema;
}

TableTarget target_of(const SchemaRef& schema) {
  return {.name = schema->name, .schema = schema, .mode = TableTarget::Mode::upsert, .key = {0}};
}

Batch batch_of(const SchemaRef& schema, std::initializer_list<std::pair<std::uint64_t, int>> rows) {
  Batch batch(schema);
  for (const auto& [ordinal, id] : rows) {
    batch.begin_row(Op::insert, ordinal);
    batch.mutable_after(0).push_fixed(std::int32_t{id});
    batch.finish_row();
  }
  return batch;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

/// "table/id/operation" of each line.
std::vector<std::string> changes_in(const std::string& text) {
  std::vector<std::string> changes;
  simdjson::dom::parser parser;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto change = parser.parse(line);
    std::string_view table = change["__table"];
    std::int64_t id = change["id"];
    std::string_view operation = change["__operation"];
    changes.push_back(std::string(table) + " " + std::to_string(id) + " " + std::string(operation));
  }
  return changes;
}

class FileDestinationTest : public ::testing::Test {
 protected:
  std::unique_ptr<FileDestination> destination(const std::string& path = {}) {
    return std::make_unique<FileDestination>(Config{path.empty() ? path_ : path, codec::JsonForm::flat},
                                             (directory_ / "state").string(), system_clock());
  }
  std::unique_ptr<FileDestination> opened(Checkpoint* checkpoint = nullptr) {
    auto made = destination();
    auto result = made->open("shop");
    EXPECT_TRUE(result.ok()) << result.error().message;
    if (result.ok() && checkpoint) *checkpoint = result->checkpoint;
    return made;
  }
  /// One transaction at `position` with one row.
  static Status write_one(Destination& to, const std::string& position, int id) {
    const auto schema = schema_of("orders");
    const auto target = target_of(schema);
    const auto batch = batch_of(schema, {{5, id}});
    const std::vector<Transaction> transactions = {{.position = {position}, .id = "1", .first_ordinal = 5}};
    const Delivery delivery{.target = &target, .batch = &batch, .transactions = transactions};
    MAIA_TRY(to.begin());
    return to.write({&delivery, 1});
  }
  static Status commit(Destination& to, std::uint64_t sequence) {
    return to.commit({.sequence = {sequence}, .position = {"P" + std::to_string(sequence)}, .facts = {}});
  }

  testing::TemporaryDirectory directory_ = testing::TemporaryDirectory::make().value();
  const std::string path_ = (directory_ / "out.jsonl").string();
};

TEST_F(FileDestinationTest, rows_of_several_tables_keep_the_order_of_the_source) {
  const auto orders = schema_of("orders");
  const auto items = schema_of("items");
  const auto to_orders = target_of(orders);
  const auto to_items = target_of(items);
  const auto first = batch_of(orders, {{0, 1}, {2, 2}});
  const auto second = batch_of(items, {{1, 10}, {3, 11}});
  const auto later = batch_of(orders, {{0, 3}});
  const std::vector<Transaction> window = {{.position = {"A"}, .id = "1", .first_ordinal = 0},
                                           {.position = {"B"}, .id = "2", .first_ordinal = 2}};
  const std::vector<Transaction> next = {{.position = {"C"}, .id = "3", .first_ordinal = 0}};
  const Delivery deliveries[] = {{.target = &to_orders, .batch = &first, .transactions = window},
                                 {.target = &to_items, .batch = &second, .transactions = window},
                                 {.target = &to_orders, .batch = &later, .transactions = next}};
  auto to = opened();
  ASSERT_TRUE(to->write(deliveries).ok());
  ASSERT_TRUE(commit(*to, 1).ok());
  EXPECT_THAT(changes_in(content(path_)),
              ElementsAre("public.orders 1 A/0", "public.items 10 A/1", "public.orders 2 B/0",
                          "public.items 11 B/1", "public.orders 3 C/0"));
}

TEST_F(FileDestinationTest, the_checkpoint_comes_back_with_its_facts) {
  auto to = opened();
  ASSERT_TRUE(
      to->commit(
            {.sequence = {7}, .position = {std::string("\xff\n\0:", 4)}, .facts = {{"a", "1"}, {"b", "\n"}}})
          .ok());
  ASSERT_TRUE(
      to->commit({.sequence = {8}, .position = {std::string("\xff\n\0:", 4)}, .facts = {{"a", std::nullopt}}})
          .ok());
  to.reset();
  Checkpoint checkpoint;
  to = opened(&checkpoint);
  EXPECT_EQ(checkpoint.sequence.value, 8u);
  EXPECT_EQ(checkpoint.position.token, std::string("\xff\n\0:", 4));
  EXPECT_EQ(checkpoint.facts, (std::map<std::string, std::string>{{"b", "\n"}}));
}

TEST_F(FileDestinationTest, a_killed_run_leaves_a_tail_that_the_next_one_cuts_off) {
  auto to = opened();
  ASSERT_TRUE(write_one(*to, "A", 1).ok());
  ASSERT_TRUE(commit(*to, 1).ok());
  to.reset();
  std::ofstream(path_, std::ios::app) << R"({"id":2,"__table":"public.or)";
  Checkpoint checkpoint;
  to = opened(&checkpoint);
  EXPECT_EQ(checkpoint.sequence.value, 1u);
  ASSERT_TRUE(write_one(*to, "B", 2).ok());
  ASSERT_TRUE(commit(*to, 2).ok());
  EXPECT_THAT(changes_in(content(path_)), ElementsAre("public.orders 1 A/0", "public.orders 2 B/0"));
}

TEST_F(FileDestinationTest, rollback_takes_back_what_was_written_even_beyond_the_buffer) {
  auto to = opened();
  ASSERT_TRUE(write_one(*to, "A", 1).ok());
  ASSERT_TRUE(commit(*to, 1).ok());
  const auto before = content(path_);
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(write_one(*to, "B", i).ok());
  ASSERT_GT(content(path_).size(), before.size()) << "the buffer should have been written by now";
  to->rollback();
  EXPECT_EQ(content(path_), before);
  ASSERT_TRUE(write_one(*to, "C", 3).ok());
  ASSERT_TRUE(commit(*to, 2).ok());
  EXPECT_THAT(changes_in(content(path_)), ElementsAre("public.orders 1 A/0", "public.orders 3 C/0"));
}

TEST_F(FileDestinationTest, each_run_has_a_higher_epoch_and_fences_the_one_before) {
  auto to = destination();
  const auto first = to->open("shop");
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(write_one(*to, "A", 1).ok());
  // As if a newer run had taken over on a file system whose locks do not work.
  SavedCheckpoint newer;
  newer.pipeline = "shop";
  newer.epoch = {first->epoch.value + 1};
  ASSERT_TRUE(save_checkpoint(system_disk(), path_ + ".checkpoint", newer).ok());
  const auto status = commit(*to, 1);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Error::Code::fenced);
  to.reset();
  to = destination();
  const auto next = to->open("shop");
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->epoch.value, newer.epoch.value + 1);
  EXPECT_THAT(content(path_), IsEmpty());
}

TEST_F(FileDestinationTest, a_run_is_fenced_by_the_epoch_of_another_process_and_not_by_its_own) {
  const auto heard = destination()->open("shop");
  ASSERT_TRUE(heard.ok());
  const auto unheard = destination()->open("shop");
  ASSERT_TRUE(unheard.ok());
  const auto again = destination()->open("shop", heard->epoch);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->epoch.value, heard->epoch.value + 2);
  SavedCheckpoint newer;
  newer.pipeline = "shop";
  newer.epoch = {again->epoch.value + 1};
  newer.taken_by = "another process";
  ASSERT_TRUE(save_checkpoint(system_disk(), path_ + ".checkpoint", newer).ok());
  const auto late = destination()->open("shop", again->epoch);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Error::Code::fenced);
}

TEST_F(FileDestinationTest, two_runs_cannot_write_at_once) {
  auto first = opened();
  auto second = destination();
  const auto result = second->open("shop");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Error::Code::unavailable);
}

TEST_F(FileDestinationTest, a_file_that_is_not_ours_is_not_touched) {
  std::ofstream(path_) << "precious";
  auto to = destination();
  const auto result = to->open("shop");
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("content that MAIA did not write"));
  EXPECT_EQ(content(path_), "precious");
}

TEST_F(FileDestinationTest, a_file_of_another_pipeline_is_refused) {
  opened().reset();
  auto to = destination();
  const auto result = to->open("other");
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("belongs to the pipeline shop"));
}

TEST_F(FileDestinationTest, a_file_that_lost_lines_is_refused) {
  auto to = opened();
  ASSERT_TRUE(write_one(*to, "A", 1).ok());
  ASSERT_TRUE(commit(*to, 1).ok());
  to.reset();
  std::filesystem::resize_file(path_, 3);
  to = destination();
  const auto result = to->open("shop");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Error::Code::lost_history);
  EXPECT_THAT(result.error().message, HasSubstr("has 3 bytes"));
}

TEST_F(FileDestinationTest, truncate_is_a_line_between_the_rows_around_it) {
  auto to = opened();
  const auto schema = schema_of("orders");
  const auto target = target_of(schema);
  const TableTarget* const targets[] = {&target};
  ASSERT_TRUE(write_one(*to, "A", 1).ok());
  ASSERT_TRUE(to->truncate(targets, {}).ok());
  ASSERT_TRUE(write_one(*to, "B", 2).ok());
  ASSERT_TRUE(commit(*to, 1).ok());
  const auto lines = content(path_);
  EXPECT_LT(lines.find("\"id\":1"), lines.find("\"__op\":\"t\""));
  EXPECT_LT(lines.find("\"__op\":\"t\""), lines.find("\"id\":2"));
}

TEST_F(FileDestinationTest, standard_output_gets_the_lines_and_the_state_directory_the_checkpoint) {
  ::testing::internal::CaptureStdout();
  auto to = destination("-");
  ASSERT_TRUE(to->open("shop").ok());
  ASSERT_TRUE(write_one(*to, "A", 1).ok());
  ASSERT_TRUE(commit(*to, 4).ok());
  EXPECT_THAT(changes_in(::testing::internal::GetCapturedStdout()), ElementsAre("public.orders 1 A/0"));
  to = destination("-");
  const auto again = to->open("shop");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->checkpoint.sequence.value, 4u);
}

TEST_F(FileDestinationTest, drop_removes_the_checkpoint_and_leaves_the_lines) {
  auto to = opened();
  ASSERT_TRUE(write_one(*to, "A", 1).ok());
  ASSERT_TRUE(commit(*to, 1).ok());
  EXPECT_THAT(to->drop("other").value(), IsEmpty());
  EXPECT_THAT(to->drop("shop").value(), ElementsAre("checkpoint " + path_ + ".checkpoint"));
  EXPECT_THAT(to->drop("shop").value(), IsEmpty());
  EXPECT_THAT(content(path_), HasSubstr("\"id\":1"));
}

TEST_F(FileDestinationTest, check_says_what_is_wrong_with_the_path) {
  EXPECT_EQ(destination()->check().value()[0].level, Finding::Level::ok);
  const auto missing = destination((directory_ / "none/out.jsonl").string())->check().value();
  EXPECT_EQ(missing[0].level, Finding::Level::error);
  EXPECT_THAT(missing[0].fix, HasSubstr("mkdir -p"));
  const auto folder = destination(directory_.path().string())->check().value();
  EXPECT_THAT(folder[0].what, HasSubstr("is not a regular file"));
}

TEST(CheckpointFileTest, damage_of_any_kind_is_found_or_harmless) {
  SavedCheckpoint saved;
  saved.pipeline = "shop";
  saved.checkpoint.facts = {{"table.1", "state"}, {"table.2", "state"}};
  const auto bytes = encode(saved);
  ASSERT_TRUE(decode(bytes).ok());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode(ByteView(bytes).first(length)).ok()) << length;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto flipped = bytes;
    flipped[i] ^= 0x80;
    static_cast<void>(decode(flipped).ok());
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode(longer).ok());
}

TEST(FileConnectorTest, uris_and_settings_lead_to_a_destination) {
  const auto& descriptor = connector();
  for (const auto& [uri, path] : {std::pair{"file:out.jsonl", "out.jsonl"},
                                  {"file:///srv/out.jsonl", "/srv/out.jsonl"},
                                  {"file:-", "-"}}) {
    const auto settings = descriptor.settings_from_uri(uri);
    ASSERT_TRUE(settings.ok()) << uri << ": " << settings.error().message;
    EXPECT_EQ(settings->find("path")->scalar()->text, path);
    EXPECT_TRUE(descriptor.open_destination(*settings, {"shop", "state"}).ok());
  }
  EXPECT_FALSE(descriptor.settings_from_uri("file://host/x").ok());
  const auto nothing = descriptor.open_destination(config::Node{config::Node::Mapping{}, {}}, {});
  ASSERT_FALSE(nothing.ok());
  EXPECT_THAT(nothing.error().message, HasSubstr("path"));
}

}  // namespace
}  // namespace maia::file
