// SPDX-License-Identifier: Apache-2.0
#include "sync/ingest.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "model/location_href.hpp"

namespace repoupdate {
namespace {

Error refusal(std::string_view rule, const std::string& why) {
  return {ErrorKind::invalid, "refused by " + std::string(rule) + ": " + why, {}};
}

bool matches(const std::vector<std::string>& globs, const std::string& text) {
  return std::ranges::any_of(globs,
                             [&](const std::string& glob) { return fnmatch(glob.c_str(), text.c_str(), 0) == 0; });
}

Result<void> check_file_name(const PackageRecord& record) {
  const Nevra& n = record.nevra;
  const std::string nvr = n.name + '-' + n.version + '-' + n.release + '.';
  const std::string_view name = basename_of(record.location_href);
  if (name == nvr + n.arch + ".rpm" || (n.arch == "src" && name == nvr + "nosrc.rpm")) return {};
  return refusal("file_names", "the file is called " + std::string(name) + ", the package " + nvr + n.arch);
}

}  // namespace

Result<void> check_size(const IngestPolicy& policy, std::uint64_t size) {
  if (policy.max_size == 0 || size <= policy.max_size) return {};
  return refusal("max_package_mib", "it has " + std::to_string(size) + " bytes, at most " +
                                        std::to_string(policy.max_size) + " are taken");
}

Result<void> check_package(const IngestPolicy& policy, const PackageRecord& record, std::string_view head,
                           const HeaderRange& range) {
  const Nevra& nevra = record.nevra;
  if (auto size = check_size(policy, record.size); !size) return size;
  if (policy.file_name_is_nvra)
    if (auto named = check_file_name(record); !named) return named;
  if (!policy.arches.empty() && std::ranges::find(policy.arches, nevra.arch) == policy.arches.end())
    return refusal("arches", "its architecture is " + nevra.arch);
  if (matches(policy.deny_names, nevra.name)) return refusal("deny_names", "its name is " + nevra.name);
  if (!policy.allow_names.empty() && !matches(policy.allow_names, nevra.name))
    return refusal("allow_names", "its name is " + nevra.name);
  if (!policy.vendors.empty() && !matches(policy.vendors, record.vendor))
    return refusal("vendors", record.vendor.empty() ? "it names no vendor" : "its vendor is " + record.vendor);
  return policy.signed_by ? policy.signed_by->check(head, range) : Result<void>();
}

}  // namespace repoupdate
