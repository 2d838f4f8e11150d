// SPDX-License-Identifier: Apache-2.0
#include "rpm/package_text.hpp"

#include <array>
#include <string>
#include <string_view>

#include "rpm/allowed_text.hpp"

namespace repoupdate {
namespace {

using StringMember = char* cr_Package::*;

constexpr std::array<StringMember, 8> k_free_text{
    &cr_Package::summary,     &cr_Package::description, &cr_Package::rpm_packager, &cr_Package::url,
    &cr_Package::rpm_license, &cr_Package::rpm_vendor,  &cr_Package::rpm_group,    &cr_Package::rpm_buildhost,
};

struct Identity {
  StringMember member;
  std::string_view tag;
};
constexpr std::array<Identity, 5> k_identity{{
    {&cr_Package::name, "NAME"},
    {&cr_Package::version, "VERSION"},
    {&cr_Package::release, "RELEASE"},
    {&cr_Package::arch, "ARCH"},
    {&cr_Package::location_href, "location_href"},
}};

struct Dependencies {
  GSList* cr_Package::*member;
  std::string_view tag;  // without its NAME or VERSION
};
constexpr std::array<Dependencies, 8> k_dependencies{{
    {&cr_Package::requires_list, "REQUIRE"},
    {&cr_Package::provides, "PROVIDE"},
    {&cr_Package::conflicts, "CONFLICT"},
    {&cr_Package::obsoletes, "OBSOLETE"},
    {&cr_Package::suggests, "SUGGEST"},
    {&cr_Package::enhances, "ENHANCE"},
    {&cr_Package::recommends, "RECOMMEND"},
    {&cr_Package::supplements, "SUPPLEMENT"},
}};

Error invalid(std::string_view tag, std::string_view problem) {
  return Error{ErrorKind::invalid, std::string(tag) + " " + std::string(problem), {}};
}

Result<void> check(const char* text, std::string_view tag) {
  if (text && !is_xml_text(text)) return invalid(tag, "holds a character that XML forbids");
  return {};
}

Result<void> check_identity(const cr_Package& package) {
  for (const auto& [member, tag] : k_identity) {
    const char* text = package.*member;
    if (!text || !*text) return invalid(tag, "is missing");
    if (!is_utf8(text)) return invalid(tag, "is not UTF-8");
    if (auto checked = check(text, tag); !checked) return checked;
  }
  return check(package.rpm_sourcerpm, "SOURCERPM");
}

Result<void> check_dependencies(const cr_Package& package) {
  for (const auto& [member, tag] : k_dependencies) {
    for (const GSList* item = package.*member; item; item = item->next) {
      const auto& dependency = *static_cast<const cr_Dependency*>(item->data);
      if (auto checked = check(dependency.name, std::string(tag) + "NAME"); !checked) return checked;
      for (const char* part : {dependency.epoch, dependency.version, dependency.release})
        if (auto checked = check(part, std::string(tag) + "VERSION"); !checked) return checked;
    }
  }
  return {};
}

Result<void> check_paths(const cr_Package& package) {
  for (const GSList* item = package.files; item; item = item->next) {
    const auto& file = *static_cast<const cr_PackageFile*>(item->data);
    if (auto checked = check(file.path, "DIRNAMES"); !checked) return checked;
    if (auto checked = check(file.name, "BASENAMES"); !checked) return checked;
  }
  return {};
}

// The package's strings live, and end, with its chunk.
void clean(char*& text, GStringChunk* chunk) {
  if (text && !is_xml_text(text)) text = g_string_chunk_insert(chunk, keep_xml_text(text).c_str());
}

}  // namespace

Result<void> make_fit_for_xml(cr_Package& package) {
  for (const auto checks : {check_identity, check_dependencies, check_paths})
    if (auto checked = checks(package); !checked) return checked;
  for (const auto member : k_free_text) clean(package.*member, package.chunk);
  for (const GSList* item = package.changelogs; item; item = item->next) {
    auto& entry = *static_cast<cr_ChangelogEntry*>(item->data);
    clean(entry.author, package.chunk);
    clean(entry.changelog, package.chunk);
  }
  return {};
}

}  // namespace repoupdate
