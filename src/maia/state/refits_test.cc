// SPDX-License-Identifier: Apache-2.0
#include "maia/state/refits.h"

#include <gtest/gtest.h>

#include "maia/testing/temporary_directory.h"

namespace maia {
namespace {

TEST(Refits, what_was_agreed_to_is_there_until_it_is_done) {
  const auto directory = testing::TemporaryDirectory::make().value();
  const auto path = directory / "maia.sqlite";
  const Refit orders{.destination = "lake", .table = "public.orders", .reread = true};
  const Refit items{.destination = "lake", .table = "public.items", .reread = false};
  ASSERT_TRUE(Refits::open(path).value()->add({orders, items}).ok());
  auto refits = Refits::open(path).value();
  EXPECT_EQ(refits->list().value(), (std::vector<Refit>{orders, items}));
  ASSERT_TRUE(refits->done(orders).ok());
  EXPECT_EQ(refits->list().value(), std::vector<Refit>{items});
}

TEST(Refits, agreed_to_twice_is_done_once_and_reads_rows_if_either_did) {
  const auto directory = testing::TemporaryDirectory::make().value();
  auto refits = Refits::open(directory / "maia.sqlite").value();
  ASSERT_TRUE(refits->add({{"lake", "public.orders", false}}).ok());
  ASSERT_TRUE(refits->add({{"lake", "public.orders", true}}).ok());
  ASSERT_TRUE(refits->add({{"lake", "public.orders", false}}).ok());
  EXPECT_EQ(refits->list().value(), (std::vector<Refit>{{"lake", "public.orders", true}}));
}

}  // namespace
}  // namespace maia
