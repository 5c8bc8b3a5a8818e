// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace maia {

/// What the engine may do about an error. Chosen where the error is born, because only there is
/// it known; the engine never guesses from the text of a message.
enum class Recovery {
  retry,      ///< transient; run the same step again after a backoff
  reconnect,  ///< the session is gone; open a new one, then resume from the checkpoint
  halt,       ///< will not heal by itself; stop and show the hint
};

struct [[nodiscard]] Error {
  enum class Code {
    invalid_config,   ///< the user's file, flag or request is wrong
    check_failed,     ///< a precondition at a system does not hold (privilege, setting)
    unavailable,      ///< the other side cannot be reached, or the session broke
    timeout,          ///< a deadline passed
    data,             ///< one row or value cannot be represented or was refused
    unsupported,      ///< something that MAIA does not know; never skipped silently
    corruption,       ///< bytes on disk or on the wire do not follow their format
    lost_history,     ///< the source can no longer give what comes after our position
    fenced,           ///< a newer run of this pipeline owns the destination
    unknown_outcome,  ///< a commit was sent and its answer was lost; read back, never guess
    storage,          ///< the local disk refused (full, I/O error)
    cancelled,        ///< a stop was requested
    internal,         ///< a broken promise inside MAIA
  };

  Code code = Code::internal;
  Recovery recovery = Recovery::halt;
  std::string message;  ///< what failed, in the words of the person who runs the pipeline
  std::string hint;     ///< what to do about it; may be empty
  /// For machines, where a code is too coarse: one word of a fixed set, such as "slot_dropped" for
  /// lost_history. Points to a literal; may be empty.
  std::string_view reason = {};

  /// Adds where it happened, outermost first: "write orders: connect: refused".
  Error in(std::string_view where) && {
    message.insert(0, std::string(where) + ": ");
    return std::move(*this);
  }
};

/// The word for a code in logs, JSON and metrics, such as "lost_history".
std::string_view to_string(Error::Code code);

/// A T or the Error that explains why there is none. Shaped like std::expected.
template <class T>
class [[nodiscard]] Result {
 public:
  template <class U = T>
    requires std::constructible_from<T, U&&> && (!std::same_as<std::remove_cvref_t<U>, Error>) &&
             (!std::same_as<std::remove_cvref_t<U>, Result<T>>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const& { return std::get<1>(state_); }
  Error error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  void value() const { assert(ok()); }
  const Error& error() const& { return *error_; }
  Error error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

/// Names the place in an error, if there is one: `return in("orders", write(...));`
template <class T>
Result<T> in(std::string_view where, Result<T> result) {
  if (result.ok()) return result;
  return std::move(result).error().in(where);
}

}  // namespace maia

/// Yields the value of a Result, or returns its error from the enclosing function. Not inside a braced
/// initializer: GCC does not destroy the members that are already built when the return happens there.
#define MAIA_TRY(expression)                  \
  __extension__({                             \
    auto maia_result_ = (expression);         \
    if (!maia_result_.ok()) [[unlikely]]      \
      return std::move(maia_result_).error(); \
    std::move(maia_result_).value();          \
  })
