// SPDX-License-Identifier: Apache-2.0
// What uploads in parts leave in a bucket when their program crashes: parts that take room and that nobody sees.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/object.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_pending_uploads = 100'000;  // below one repository; more is ErrorKind::invalid

// Younger ones may be under way.
inline constexpr std::chrono::seconds k_abandoned_after = std::chrono::hours(24);

// All uploads below the repository's prefix that have not ended, whoever began them; not those below other
// repositories in it. Keys are below the repository's root.
Result<std::vector<PendingUpload>> find_pending_uploads(const Repository& repository);

bool is_abandoned(const PendingUpload& upload, SystemTime now);

// Drops one that find_pending_uploads() gave.
Result<void> drop_pending_upload(const Repository& repository, const PendingUpload& upload);

}  // namespace repoupdate
