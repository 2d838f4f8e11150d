// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as an RPM package, from the lead to the header. The lowest bit of the first byte says whether the rest
// is the whole file, or the header alone behind a signature without digests: otherwise no changed header would get past
// its digest.
#include <string>
#include <string_view>

#include "claim.hpp"
#include "repodata/package_scan.hpp"
#include "repodata/xml_parser.hpp"
#include "rpm/header_range.hpp"
#include "rpm/package_reader.hpp"

namespace repoupdate {
namespace {

using namespace std::string_view_literals;

// A lead, and a signature header of one entry: RPMSIGTAG_RESERVEDSPACE of eight bytes, with no region.
std::string file_of(std::string_view header) {
  std::string file("\xed\xab\xee\xdb\x03\x00\x00\x00\x00\x01x", 11);
  file.resize(76);
  file += "\0\x01\0\x05"sv;
  file.resize(96);
  file += "\x8e\xad\xe8\x01\0\0\0\0\0\0\0\x01\0\0\0\x08"sv;
  file += "\0\0\x03\xf0\0\0\0\x07\0\0\0\0\0\0\0\x08"sv;
  file.append(8, '\0');
  return file.append(header);
}

// Whatever arrives first, the answer is the same, and it takes three reads at most.
void check_probe(std::string_view file, const Result<HeaderProbe>& whole) {
  std::uint64_t known = 0;
  int reads = 0;
  for (;;) {
    const auto probe = probe_header(file.substr(0, known), file.size());
    claim(probe.ok() || probe.error().kind == ErrorKind::corrupt, "what is no package is corrupt");
    if (!probe) return claim(!whole, "what is refused early is refused");
    if (probe->complete(known))
      return claim(whole.ok() && whole->range == probe->range, "the range does not depend on the reads");
    claim(probe->need > known && probe->need <= file.size(), "more is needed, and no more than there is");
    claim(++reads <= 3, "three reads suffice");
    known = probe->need;
  }
}

void check_fragment(MetadataKind kind, const std::string& fragment) {
  XmlParser parser({});
  claim(parser.feed(fragment).ok() && parser.finish().ok(), "a fragment is well-formed");
  const auto spans = scan_packages(fragment);
  claim(spans.ok() && spans->size() == 1, "a fragment is one package");
  claim(kind != MetadataKind::primary || fragment.find("a.rpm") != std::string::npos, "a package has its location");
}

void check(std::string_view input) {
  if (input.empty()) return;
  const std::string file = input[0] & 1 ? file_of(input.substr(1)) : std::string(input.substr(1));
  const auto probe = probe_header(file, file.size());
  check_probe(file, probe);
  if (!probe) return claim_message(probe.error().message);
  claim(probe->range && probe->range->end <= file.size() && probe->range->start < probe->range->end,
        "a header lies in its file");

  const PackageFacts facts{{HashType::sha256, std::string(64, 'a')}, "a.rpm", file.size(), 1};
  const auto record = read_package(file, *probe->range, facts, {});
  if (!record) {
    claim(record.error().kind == ErrorKind::corrupt || record.error().kind == ErrorKind::invalid,
          "a package that cannot be read is corrupt or invalid");
    return claim_message(record.error().message);
  }
  claim(!record->nevra.name.empty() && !record->nevra.version.empty() && !record->nevra.arch.empty(),
        "a package has a name, a version and an architecture");
  for (const auto& about : k_metadata_kinds) check_fragment(about.kind, record->fragments[about.kind]);
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
