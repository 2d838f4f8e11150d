// SPDX-License-Identifier: Apache-2.0
#include "app/exit_code.hpp"

namespace repoupdate {

ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
    case ErrorKind::unsupported: return ExitCode::usage;
    case ErrorKind::not_found:
    case ErrorKind::no_store: return ExitCode::not_found;
    case ErrorKind::denied: return ExitCode::denied;
    case ErrorKind::throttled:
    case ErrorKind::unavailable:
    case ErrorKind::timed_out: return ExitCode::unreachable;
    case ErrorKind::precondition_failed:
    case ErrorKind::conflict: return ExitCode::conflict;
    case ErrorKind::corrupt: return ExitCode::corrupt;
    case ErrorKind::no_space: return ExitCode::no_space;
    case ErrorKind::unconfirmed: return ExitCode::unconfirmed;
    case ErrorKind::cancelled: return ExitCode::stopped;
    case ErrorKind::io: return ExitCode::local;
  }
  return ExitCode::local;
}

}  // namespace repoupdate
