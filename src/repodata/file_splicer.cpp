// SPDX-License-Identifier: Apache-2.0
#include "repodata/file_splicer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "repodata/fragment_reader.hpp"
#include "repodata/item_reader.hpp"
#include "repodata/prolog.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

// What an erased fragment takes with it of the gap behind: the rest of its line, as far as that is white space.
std::string_view without_line_end(std::string_view gap) {
  const std::size_t blank = std::min(gap.find_first_not_of(k_xml_space), gap.size());
  const std::size_t line_end = gap.substr(0, blank).find('\n');
  return gap.substr(line_end == std::string_view::npos ? blank : line_end + 1);
}

class FileSplicer {
public:
  FileSplicer(const FileSplice& splice, const RepoIndex& index, const SplicePlan& plan)
      : m_splice(splice), m_index(index), m_plan(plan), m_encoder(splice.compression, splice.checksum_type) {}

  Result<std::optional<EncodedFile>> run() {
    ItemReader reader(m_splice.kind, m_splice.stored);
    for (;;) {
      auto item = reader.next();
      if (!item) return std::move(item).error();
      if (!*item) break;
      const auto fits = on_item(**item);
      if (!fits) return fits.error();
      if (!*fits) return std::optional<EncodedFile>();
    }
    return std::optional(m_encoder.finish());
  }

private:
  // False when the item does not fit the index.
  Result<bool> on_item(const MetadataItem& item) {
    switch (item.kind) {
      case MetadataItem::Kind::prolog: return on_prolog(item.bytes);
      case MetadataItem::Kind::fragment: return on_fragment(item.bytes);
      case MetadataItem::Kind::gap:
        write(std::exchange(m_erased_before, false) ? without_line_end(item.bytes) : item.bytes);
        return true;
      case MetadataItem::Kind::trailer: break;
    }
    return on_trailer(item.bytes);
  }

  Result<bool> on_prolog(std::string_view bytes) {
    auto prolog = read_prolog(m_splice.kind, bytes);
    if (!prolog) return std::move(prolog).error();
    write(with_count(*prolog, m_plan.packages));
    m_root_was_empty = prolog->root_was_empty;
    return true;
  }

  Result<bool> on_fragment(std::string_view bytes) {
    if (m_position == m_index.entries.size()) return false;
    if (m_splice.kind != MetadataKind::primary) {  // the index is primary's
      const auto pkgid = read_fragment_pkgid(bytes);
      if (!pkgid) return pkgid.error();
      if (*pkgid != m_index.entries[m_position].pkgid) return false;
    }
    write_inserts();
    m_erased_before = m_plan.erased[m_position++];
    if (!m_erased_before) write(bytes);
    return true;
  }

  Result<bool> on_trailer(std::string_view bytes) {
    if (m_position != m_index.entries.size()) return false;
    write_inserts();
    if (m_root_was_empty) write("</" + std::string(info(m_splice.kind).root) + '>');
    write(bytes);
    return true;
  }

  // Those that belong before the entry at m_position.
  void write_inserts() {
    for (; m_next_insert < m_plan.inserts.size(); ++m_next_insert) {
      const auto& insert = m_plan.inserts[m_next_insert];
      if (insert.before != m_position) return;
      if (!m_ends_line) write("\n");
      write(insert.record->fragments[m_splice.kind]);
    }
  }

  void write(std::string_view bytes) {
    if (bytes.empty()) return;
    m_encoder.write(bytes);
    m_ends_line = bytes.back() == '\n';
  }

  const FileSplice& m_splice;
  const RepoIndex& m_index;
  const SplicePlan& m_plan;
  Encoder m_encoder;
  std::size_t m_position = 0;  // of the next fragment
  std::size_t m_next_insert = 0;
  bool m_root_was_empty = false;
  bool m_erased_before = false;  // the fragment before this gap was erased
  bool m_ends_line = false;      // the last byte written is a line end
};

}  // namespace

Result<std::optional<EncodedFile>> splice_file(const FileSplice& splice, const RepoIndex& index,
                                               const SplicePlan& plan) {
  return FileSplicer(splice, index, plan).run();
}

}  // namespace repoupdate
