// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as the lease object of a repository, which anybody with access to the bucket may write.
#include <string_view>

#include "claim.hpp"
#include "sync/lease.hpp"

namespace repoupdate {
namespace {

void check(std::string_view input) {
  const auto lease = parse_lease(input);
  if (!lease) return;
  claim(lease->length <= k_max_lease && lease->length >= Duration(0), "nobody may have it for longer than its limit");
  if (!lease->owner.empty()) claim_message(lease->owner);
  const auto again = parse_lease(to_json(*lease));
  claim(again && again->owner == lease->owner && again->token == lease->token && again->renewals == lease->renewals &&
            again->length == lease->length,
        "what was read and written is read the same");
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
