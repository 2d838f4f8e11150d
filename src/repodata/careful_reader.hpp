// SPDX-License-Identifier: Apache-2.0
// Reads primary, filelists or other with a full XML parser. Slow and careful, and written without the scanner, the
// tag walker and their assumptions, so that each can be held against the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "repodata/repo_index.hpp"
#include "repodata/xml_parser.hpp"

namespace repoupdate {

struct CarefulPackage {
  IndexEntry entry;         // of filelists and other only nevra and pkgid
  std::uint64_t begin = 0;  // offsets of the element in the open document
  std::uint64_t end = 0;
};

struct CarefulListing {
  std::string stated_count;  // packages= as it stands; empty when absent
  std::vector<CarefulPackage> packages;
};

class CarefulReader {
public:
  explicit CarefulReader(MetadataKind kind);
  CarefulReader(const CarefulReader&) = delete;
  CarefulReader& operator=(const CarefulReader&) = delete;

  // Pieces of the open document. Errors are the parser's, and corrupt when the root is another element.
  Result<void> feed(std::string_view piece);
  Result<void> finish();

  const CarefulListing& listing() const { return m_listing; }  // as far as it has been read

private:
  void on_start(std::string_view name, const XmlAttributes& attributes);
  void on_package_start(const XmlAttributes& attributes);
  void on_child_start(std::string_view name, const XmlAttributes& attributes);
  void on_end(std::string_view name);

  MetadataKind m_kind;
  CarefulListing m_listing;
  std::string m_text;  // since the last start tag
  std::size_t m_depth = 0;
  bool m_in_package = false;
  bool m_is_root_right = true;
  XmlParser m_parser;
};

}  // namespace repoupdate
