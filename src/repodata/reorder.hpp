// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "model/scratch.hpp"
#include "repodata/fragment_scanner.hpp"
#include "repodata/segmented_file.hpp"

namespace repoupdate {

// The items of a filelists or other whose packages stand in another order than primary's, in primary's order.
// dnf and zypper do not mind the order, createrepo_c's PkgIterator (Pulp, Katello) does; such a file is put right
// once, when the repository is taken over. Each fragment keeps its bytes and the gap behind it. The open file lies in
// a scratch file meanwhile.
class OrderedItems {
public:
  // corrupt, with the pkgid, when the file does not list the same packages as primary.
  static Result<OrderedItems> read(MetadataKind kind, const SharedBytes& stored, const SegmentedFile& primary,
                                   Scratch& scratch);

  // Nothing at the end. A fragment comes with its gap. Item bytes live until the next call.
  Result<std::optional<MetadataItem>> next();

private:
  struct Span {
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
  };
  struct Document;
  static Result<Document> read_document(MetadataKind kind, const SharedBytes& stored, Scratch& scratch);

  std::shared_ptr<ScratchFile> m_open;
  std::vector<Span> m_fragments;  // in primary's order
  std::string m_prolog;           // with the gap before the first package
  std::string m_trailer;
  std::string m_fragment;
  std::size_t m_next = 0;  // 0: the prolog
};

}  // namespace repoupdate
