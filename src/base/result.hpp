// SPDX-License-Identifier: Apache-2.0
// The one way in which anything here fails: a named kind for programs, a sentence for people.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace repoupdate {

// Kinds are never folded into each other (invariant I11): each has its own retry class and exit code.
enum class ErrorKind {
  not_found,            // the store proved that it is not there (404, ENOENT)
  no_store,             // the bucket or directory itself is not there: proves nothing about what is in it
  denied,               // 401, 403, EACCES: says nothing about whether the thing exists
  throttled,            // 429, 503 SlowDown: try later, and everybody slower
  precondition_failed,  // 412: somebody else was first
  conflict,             // 409: two requests at the same time; the same request may succeed now
  corrupt,              // bytes that are not what their checksum, magic or grammar says
  invalid,              // the caller's input: arguments, settings, a package that breaks a rule
  unsupported,          // understood, but not possible here
  unavailable,          // connection refused or reset, 500, 502, 504: try again
  timed_out,            // a deadline passed; whether it took effect is unknown
  no_space,             // ENOSPC, EDQUOT
  unconfirmed,          // may be right, and does so much harm if not that a person has to say yes
  cancelled,            // we were asked to stop
  io,                   // any other failure of the local system
};

std::string_view to_string(ErrorKind kind);

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::io;
  std::string message;     // what, which repository, which key, what to do; no secret, no newline
  std::string request_id;  // the store's or queue's id of the failed request, see io/aws_error; or empty

  // The same failure seen from further out: "reading s3://b/k: connection reset".
  Error within(std::string_view context) &&;

  // message, with the request id behind it where there is one.
  std::string text() const;
};

// True for kinds that stay until somebody changes the bytes, the request or the settings.
bool is_final(ErrorKind kind);

// Whoever was asked has said no: nothing was done. After anything else it may be done, or on its way still.
bool is_refusal(ErrorKind kind);

// A value or an Error. `[[nodiscard]]`: a failure cannot be dropped by not looking.
template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return m_state.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(m_state); }
  const T& value() const& { return std::get<0>(m_state); }
  T&& value() && { return std::get<0>(std::move(m_state)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(m_state); }
  const Error& error() const& { return std::get<1>(m_state); }
  Error&& error() && { return std::get<1>(std::move(m_state)); }

  // The kind of the failure, or nothing: `if (r.failed_with(ErrorKind::not_found))`.
  bool failed_with(ErrorKind kind) const { return !ok() && error().kind == kind; }

private:
  std::variant<T, Error> m_state;
};

template <>
class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : m_error(std::move(error)) {}

  bool ok() const { return !m_error; }
  explicit operator bool() const { return ok(); }
  Error& error() & { return *m_error; }
  const Error& error() const& { return *m_error; }
  Error&& error() && { return std::move(*m_error); }
  bool failed_with(ErrorKind kind) const { return m_error && m_error->kind == kind; }

private:
  std::optional<Error> m_error;
};

}  // namespace repoupdate
