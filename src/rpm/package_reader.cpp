// SPDX-License-Identifier: Apache-2.0
#include "rpm/package_reader.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include "rpm/createrepo_c.hpp"
#include "rpm/header_reader.hpp"
#include "rpm/package_text.hpp"

namespace repoupdate {
namespace {

struct FreeText {
  void operator()(char* text) const { g_free(text); }
};
using TextPtr = std::unique_ptr<char, FreeText>;

struct FreeGlibError {
  void operator()(GError* error) const { g_error_free(error); }
};
using GlibErrorPtr = std::unique_ptr<GError, FreeGlibError>;

void ignore_message(const char*, GLogLevelFlags, const char*, void*) {}

// libxml2's tables and libcreaterepo_c's warnings (GLib writes them to standard error) belong to the process.
void initialise_libcreaterepo_c() {
  static std::once_flag once;
  std::call_once(once, [] {
    cr_xml_dump_init();
    g_log_set_handler("C_CREATEREPOLIB", G_LOG_LEVEL_MASK, ignore_message, nullptr);
  });
}

std::string message_of(GError* error) {
  const GlibErrorPtr owned(error);
  return owned && owned->message ? owned->message : "libcreaterepo_c gave no reason";
}

// The signature header says how many bytes follow it (rpm 6 does not write that any more). The payload is not read,
// so this is how an upload that was cut short is told from a package.
Result<void> check_length(Header header, const HeaderRange& range, std::uint64_t file_size) {
  std::uint64_t following = headerGetNumber(header, RPMTAG_LONGSIGSIZE);
  if (following == 0) following = headerGetNumber(header, RPMTAG_SIGSIZE);
  if (following <= file_size - range.start) return {};
  return Error{ErrorKind::corrupt,
               "truncated: the package ends " + std::to_string(following) + " bytes after its signature, the file " +
                   std::to_string(file_size - range.start),
               {}};
}

Result<PackagePtr> parse(std::string_view head, const HeaderRange& range, std::uint64_t file_size,
                         const PackageReaderOptions& options) {
  auto header = read_header(head, range);
  if (!header) return std::move(header).error();
  if (auto whole = check_length(header->get(), range, file_size); !whole) return std::move(whole).error();
  GError* error = nullptr;
  PackagePtr package(cr_package_from_header(header->get(), options.changelog_limit, CR_HDRR_NONE, &error));
  if (!package) return Error{ErrorKind::corrupt, message_of(error), {}};
  return package;
}

void set_facts(cr_Package& package, const HeaderRange& range, const PackageFacts& facts) {
  const auto keep = [&package](std::string_view text) {
    return g_string_chunk_insert_len(package.chunk, text.data(), static_cast<gssize>(text.size()));
  };
  package.pkgId = keep(facts.pkgid.hex);
  package.checksum_type = keep(to_string(facts.pkgid.type));
  package.location_href = keep(facts.location_href);
  package.size_package = static_cast<gint64>(facts.size);
  package.time_file = facts.time_file;
  package.rpm_header_start = static_cast<gint64>(range.start);
  package.rpm_header_end = static_cast<gint64>(range.end);
}

Result<PerKind<std::string>> write_fragments(cr_Package& package) {
  GError* error = nullptr;
  const auto xml = cr_xml_dump(&package, &error);
  PerKind<TextPtr> texts;
  texts[MetadataKind::primary].reset(xml.primary);
  texts[MetadataKind::filelists].reset(xml.filelists);
  texts[MetadataKind::other].reset(xml.other);

  PerKind<std::string> fragments;
  for (const auto& kind : k_metadata_kinds) {
    const auto& text = texts[kind.kind];
    if (error || !text) return Error{ErrorKind::invalid, message_of(error), {}};
    fragments[kind.kind] = text.get();
  }
  return fragments;
}

}  // namespace

void prepare_package_reader() {
  prepare_librpm();
  initialise_libcreaterepo_c();
}

Result<PackageRecord> read_package(std::string_view head, const HeaderRange& range, const PackageFacts& facts,
                                   const PackageReaderOptions& options) {
  if (head.size() < range.end || facts.size < range.end)
    return Error{ErrorKind::corrupt,
                 "truncated: the header ends at byte " + std::to_string(range.end) + ", " +
                     std::to_string(head.size()) + " are there",
                 {}};
  initialise_libcreaterepo_c();
  auto parsed = parse(head.substr(0, range.end), range, facts.size, options);
  if (!parsed) return std::move(parsed).error();
  cr_Package& package = **parsed;
  set_facts(package, range, facts);
  if (auto fit = make_fit_for_xml(package); !fit) return std::move(fit).error();
  auto fragments = write_fragments(package);
  if (!fragments) return std::move(fragments).error();
  return PackageRecord{
      .nevra = {package.name, package.epoch, package.version, package.release, package.arch},
      .pkgid = facts.pkgid,
      .location_href = facts.location_href,
      .vendor = package.rpm_vendor ? package.rpm_vendor : "",
      .size = facts.size,
      .time_file = facts.time_file,
      .fragments = *std::move(fragments),
  };
}

}  // namespace repoupdate
