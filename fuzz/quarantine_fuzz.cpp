// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as the quarantine of a repository, an object that anybody with access to the bucket may write.
#include <string>
#include <string_view>

#include "claim.hpp"
#include "sync/package_key.hpp"
#include "sync/quarantine_record.hpp"

namespace repoupdate {
namespace {

void check(std::string_view input) {
  const auto records = parse_quarantine(input);
  if (!records) return;
  claim(records->size() <= k_max_quarantined, "there are not more records than their limit");
  for (const auto& [href, record] : *records) {
    claim(href == record.href && is_package_href(href), "a record is about a package of this repository");
    claim(record.reason.size() <= k_max_quarantine_reason, "no reason is longer than its limit");
  }
  const std::string written = to_json(*records);
  claim(written.size() <= k_max_quarantine_size, "what is written fits its limit");
  const auto again = parse_quarantine(written);
  claim(again.has_value(), "what was written can be read");
  claim(to_json(*again) == written, "what was read and written is read the same");
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
