// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a repomd.xml: read, written, and read again.
#include <algorithm>
#include <string>
#include <string_view>

#include "claim.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate {
namespace {

// Written here without the reader's code: a key that every client resolves to a place below the root.
bool is_below_root(std::string_view href) {
  const std::size_t scheme = href.find("://");
  if (href.empty() || href.starts_with('/')) return false;
  if (scheme != std::string_view::npos && href.substr(0, scheme).find_first_of(":/") == std::string_view::npos)
    return false;
  const std::string framed = '/' + std::string(href) + '/';
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  return framed.find("/../") == std::string::npos && std::none_of(href.begin(), href.end(), is_control);
}

void check_records(const Repomd& repomd) {
  claim(repomd.records.size() <= k_max_repomd_records, "records keep to their limit");
  for (const RepomdRecord& record : repomd.records) {
    claim(!record.type.empty(), "a record has a type");
    claim(is_below_root(record.location_href), "a record lies below the repository");
    claim(repomd.find(record.type) == &record, "a type is there once");
  }
  for (const auto& about : k_metadata_kinds) {
    const RepomdRecord* record = repomd.find(about.kind);
    claim(record && record->location_base.empty(), "all three files are named, and are in this repository");
  }
}

// Only the records as they stood are compared: what is outside of them is written anew.
void check_round_trip(const Repomd& repomd) {
  const std::string written = write_repomd(repomd);
  const auto again = parse_repomd(written);
  claim(again.ok(), "what was read and written can be read");
  claim(again->revision == repomd.revision, "the revision stays");
  claim(again->records.size() == repomd.records.size(), "all records stay");
  for (std::size_t i = 0; i < repomd.records.size(); ++i) {
    const RepomdRecord &before = repomd.records[i], &after = again->records[i];
    claim(after.type == before.type && after.location_href == before.location_href && after.raw == before.raw &&
              after.checksum == before.checksum && after.size == before.size && after.timestamp == before.timestamp,
          "a record passes through as it stands");
  }
  claim(write_repomd(*again) == written, "writing it again changes nothing");
}

void check_revision(const std::string& revision) {
  const SystemTime now{std::chrono::seconds(1'795'369'177)};
  const std::string next = next_revision(revision, now);
  const bool is_number = !revision.empty() && revision.size() < 18 &&
                         std::all_of(revision.begin(), revision.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) claim(std::stoull(next) > std::stoull(revision), "a revision only grows");
}

void check(std::string_view input) {
  const auto repomd = parse_repomd(input);
  if (!repomd) {
    claim(repomd.error().kind == ErrorKind::corrupt || repomd.error().kind == ErrorKind::unsupported,
          "what cannot be read is corrupt or unsupported");
    return claim_message(repomd.error().message);
  }
  check_records(*repomd);
  check_round_trip(*repomd);
  check_revision(repomd->revision);
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
