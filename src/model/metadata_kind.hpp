// SPDX-License-Identifier: Apache-2.0
// THE table of the metadata files that list packages. Nothing else in the program spells these names;
// code that handles "each of the three" loops over k_metadata_kinds.
// Source: createrepo_c's output, which is the only specification of the format there is.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace repoupdate {

enum class MetadataKind : std::size_t { primary, filelists, other };

struct MetadataKindInfo {
  MetadataKind kind;
  std::string_view name;             // the record's type in repomd.xml, and the stem of the file's name
  std::string_view root;             // root element
  std::string_view xml_namespace;    // default namespace of the root element
  std::string_view root_attributes;  // further attributes of the root element, with a leading space
};

inline constexpr std::array<MetadataKindInfo, 3> k_metadata_kinds{{
    {MetadataKind::primary, "primary", "metadata", "http://linux.duke.edu/metadata/common",
     " xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\""},
    {MetadataKind::filelists, "filelists", "filelists", "http://linux.duke.edu/metadata/filelists", ""},
    {MetadataKind::other, "other", "otherdata", "http://linux.duke.edu/metadata/other", ""},
}};

constexpr std::size_t index_of(MetadataKind kind) {
  return static_cast<std::size_t>(kind);
}
constexpr const MetadataKindInfo& info(MetadataKind kind) {
  return k_metadata_kinds[index_of(kind)];
}

// One T for each kind, addressed by kind.
template <typename T>
struct PerKind {
  std::array<T, k_metadata_kinds.size()> values{};

  T& operator[](MetadataKind kind) { return values[index_of(kind)]; }
  const T& operator[](MetadataKind kind) const { return values[index_of(kind)]; }
};

}  // namespace repoupdate
