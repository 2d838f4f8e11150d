// SPDX-License-Identifier: Apache-2.0
// What runs in a process of its own: `repobench step NAME PLAN` reads a plan, a JSON file, and prints its result as
// JSON. So the memory of one piece of work is told from that of another, and a cold start is a cold start.
#pragma once

#include "base/result.hpp"
#include "json.hpp"

namespace repoupdate::bench {

// Writes a foreign repository. {"directory", "packages", "compression"} -> {}
Result<Json> generate_step(const Json& plan);

// RPM files that are put into it later (work_directory.hpp). {"directory", "packages": that it has} -> {}
Result<Json> pool_step(const Json& plan);

// RPM files for a repository that has no metadata yet. {"directory", "packages", "files": that each lists, or none}
// -> {}
Result<Json> packages_step(const Json& plan);

// Calls of update() one after the other, with one memory between them.
//   {"repository", "scratch", "threads", "open_checksum", "compression" or null,
//    "rounds": [{"keys", "reconcile", "packages": how many there are then, "publishes"}]}
//   -> {"rounds": [{"wall", "cpu"}]} in seconds
// An Error when a round did not do what it should.
Result<Json> update_step(const Json& plan);

// SHA-256 over as many bytes as the three metadata files have stored and open, by one thread.
//   {"repository"} -> {"wall", "bytes"}
Result<Json> floor_step(const Json& plan);

// An Error when the metadata files are not what repomd.xml says, or do not list so many packages. "thorough": with a
// full XML parser, and all three against each other. {"repository", "packages", "thorough"} -> {"stored": bytes}
Result<Json> check_step(const Json& plan);

// Edits of one package, one after the other and at random, by splice().
//   {"repository", "scratch", "generated", "edits", "threads"} -> {"wall", "stored", "at_once": bytes}
// "at_once": what the same open bytes have when they are compressed as a whole with the same level.
Result<Json> churn_step(const Json& plan);

}  // namespace repoupdate::bench
