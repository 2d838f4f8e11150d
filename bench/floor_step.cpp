// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/hash.hpp"
#include "random.hpp"
#include "repository_files.hpp"
#include "steps.hpp"
#include "stopwatch.hpp"

namespace repoupdate::bench {
namespace {

constexpr std::size_t k_buffer = 64U << 20;  // larger than the caches
constexpr std::size_t k_piece = 1U << 20;    // hashed at a time

std::string random_bytes() {
  std::string bytes(k_buffer, '\0');
  Random random(1);
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

}  // namespace

Result<Json> floor_step(const Json& plan) {
  const auto files = open_repository_files(plan.at("repository").get<std::string>());
  if (!files) return files.error();
  const std::string bytes = random_bytes();
  std::uint64_t total = 0;
  const Stopwatch stopwatch;
  for (const MetadataKindInfo& kind : k_metadata_kinds) {
    const RepomdRecord& record = *files->repomd.find(kind.kind);
    for (std::uint64_t left : {record.size.value_or(0), record.open_size.value_or(0)}) {
      Hasher hasher(HashType::sha256);
      for (std::size_t place = 0; left > 0; place = (place + k_piece) % k_buffer) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, k_piece));
        hasher.update(std::string_view(bytes).substr(place, size));
        left -= size;
        total += size;
      }
      hasher.finish();
    }
  }
  return Json{{"wall", stopwatch.wall()}, {"bytes", total}};
}

}  // namespace repoupdate::bench
