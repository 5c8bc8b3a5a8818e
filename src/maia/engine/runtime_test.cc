// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/runtime.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace maia::engine {
namespace {

/// Counts its steps and answers what it is told to.
class Counting final : public Task {
 public:
  explicit Counting(std::function<Result<Step>(int)> answer) : answer_(std::move(answer)) {}
  const std::string& name() const override { return name_; }
  Result<Step> step(std::stop_token) override { return answer_(++steps); }
  std::atomic<int> steps{0};

 private:
  std::string name_ = "counting";
  std::function<Result<Step>(int)> answer_;
};

TEST(Threads, step_a_task_until_it_is_done) {
  std::promise<void> last;
  Counting task([&](int step) -> Result<Step> {
    if (step < 3) return Step::again();
    last.set_value();
    return Step::done();
  });
  Threads threads;
  threads.launch(task, [](Task&, Error) { FAIL() << "nothing failed"; });
  last.get_future().wait();
  threads.end();
  EXPECT_EQ(task.steps, 3);
}

TEST(Threads, tell_the_error_that_ended_a_task_and_answer_its_letters) {
  Counting task([](int) -> Result<Step> { return Error{Error::Code::data, Recovery::halt, "broken", ""}; });
  std::promise<std::string> told;
  Threads threads;
  threads.launch(task, [&](Task& failed, Error error) {
    EXPECT_EQ(&failed, &task);
    told.set_value(error.message);
  });
  EXPECT_EQ(told.get_future().get(), "broken");
  auto answer = task.mailbox().post([]() -> Result<std::string> { return std::string("too late"); });
  EXPECT_EQ(answer.get().error().code, Error::Code::cancelled);
}

TEST(Threads, serve_a_letter_while_the_task_waits_for_long) {
  Counting task([](int) -> Result<Step> { return Step::wait(std::chrono::hours(1)); });
  Threads threads;
  threads.launch(task, [](Task&, Error) { FAIL() << "nothing failed"; });
  for (int i = 0; i < 2; ++i) {
    auto answer = task.mailbox().post([]() -> Result<std::string> { return std::string("served"); });
    EXPECT_EQ(answer.get().value(), "served");
  }
  threads.end();
}

}  // namespace
}  // namespace maia::engine
