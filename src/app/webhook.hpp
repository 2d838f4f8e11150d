// SPDX-License-Identifier: Apache-2.0
// The webhook source as [webhook] describes it.
#pragma once

#include <memory>

#include "app/session.hpp"
#include "model/event_source.hpp"

namespace repoupdate {

inline constexpr std::uint64_t k_max_secret_file = 64 << 10;  // bytes, also of certificates and keys

// Listens when it returns. An Error: a setting is wrong, or a file cannot be used. `session` must outlive it.
Result<std::unique_ptr<EventSource>> open_webhook(Session& session);

}  // namespace repoupdate
