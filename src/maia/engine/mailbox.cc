// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/mailbox.h"

namespace maia::engine {
namespace {

Error ended() {
  return Error{Error::Code::cancelled, Recovery::halt, "the task has ended", "start the pipeline again"};
}

}  // namespace

std::future<Result<std::string>> Mailbox::post(Work work) {
  Letter letter{std::move(work), {}};
  auto answer = letter.answer.get_future();
  const std::lock_guard lock(mutex_);
  if (closed_) {
    letter.answer.set_value(ended());
  } else {
    letters_.push_back(std::move(letter));
  }
  return answer;
}

bool Mailbox::waiting() const {
  const std::lock_guard lock(mutex_);
  return !letters_.empty();
}

void Mailbox::serve() {
  for (;;) {
    Letter letter;
    {
      const std::lock_guard lock(mutex_);
      if (letters_.empty()) return;
      letter = std::move(letters_.front());
      letters_.pop_front();
    }
    letter.answer.set_value(letter.work());
  }
}

void Mailbox::close() {
  std::deque<Letter> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.swap(letters_);
  }
  for (auto& letter : left) letter.answer.set_value(ended());
}

}  // namespace maia::engine
