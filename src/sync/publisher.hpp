// SPDX-License-Identifier: Apache-2.0
// Makes a publication visible: hashed files first, confirmed by the store, then repomd.xml by
// compare-and-swap, or, where the store has none, by who holds the lease; then its signature. After any failure readers
// still see the old repository, whole, or the new one.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/publication.hpp"
#include "sync/repository.hpp"
#include "sync/stages.hpp"
#include "sync/write_turn.hpp"

namespace repoupdate {

struct Published {
  ETag pointer;
  std::string request_id;  // of the PUT of the pointer, where the store names it
};

// precondition_failed: another writer was first (superseded), plan again; where an answer was lost, it may have been
// visible before that one's. invalid: it may not be published unsigned. cancelled: a stop was requested before the
// pointer was written. A hashed file that was there with other bytes than its name says is put again; its key goes to
// `repaired`, and `turn` is told of an overrun, also when something fails after that. `stages` is told of Stage::sign and
// Stage::publish.
Result<Published> publish(const Repository& repository, const Publication& publication, WriteTurn& turn,
                          std::vector<std::string>& repaired, std::stop_token stop, StageWatch* stages = nullptr);

}  // namespace repoupdate
