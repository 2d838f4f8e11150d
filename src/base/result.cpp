// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

namespace repoupdate {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found: return "not found";
    case ErrorKind::no_store: return "no such bucket or directory";
    case ErrorKind::denied: return "denied";
    case ErrorKind::throttled: return "throttled";
    case ErrorKind::precondition_failed: return "precondition failed";
    case ErrorKind::conflict: return "conflict";
    case ErrorKind::corrupt: return "corrupt";
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::unavailable: return "unavailable";
    case ErrorKind::timed_out: return "timed out";
    case ErrorKind::no_space: return "no space";
    case ErrorKind::unconfirmed: return "unconfirmed";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::io: return "input/output error";
  }
  return "unknown";
}

Error Error::within(std::string_view context) && {
  message.insert(0, std::string(context) + ": ");
  return std::move(*this);
}

std::string Error::text() const {
  return request_id.empty() ? message : message + " (request id " + request_id + ")";
}

bool is_final(ErrorKind kind) {
  return kind == ErrorKind::corrupt || kind == ErrorKind::invalid || kind == ErrorKind::unsupported;
}

bool is_refusal(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found:
    case ErrorKind::no_store:
    case ErrorKind::denied:
    case ErrorKind::throttled:
    case ErrorKind::precondition_failed:
    case ErrorKind::conflict:
    case ErrorKind::invalid:
    case ErrorKind::unsupported: return true;
    case ErrorKind::corrupt:
    case ErrorKind::unavailable:
    case ErrorKind::timed_out:
    case ErrorKind::no_space:
    case ErrorKind::unconfirmed:
    case ErrorKind::cancelled:
    case ErrorKind::io: break;
  }
  return false;
}

}  // namespace repoupdate
