// SPDX-License-Identifier: Apache-2.0
#include "repodata/index_reader.hpp"

#include <utility>

#include "base/parallel.hpp"
#include "repodata/index_proof.hpp"
#include "repodata/stored_file.hpp"
#include "repodata/take_over.hpp"

namespace repoupdate {
namespace {

class IndexReader {
public:
  IndexReader(Repomd repomd, const PerKind<SharedBytes>& stored, const IndexReading& reading, Scratch& scratch)
      : m_stored(stored), m_reading(reading), m_scratch(scratch) {
    m_index.repomd = std::move(repomd);
  }

  Result<RepoIndex> run() {
    auto done = for_each_file([&](MetadataKind kind) { return check_stored(m_index.repomd, kind, *m_stored[kind]); });
    if (!done) return std::move(done).error();
    bool believed = false;
    if (done = open(believed); !done) return std::move(done).error();
    auto proof = prove(m_index, m_reading.threads);
    if (believed && is_about_content(proof)) {  // a table was wrong, or the files are
      done = for_each_file(
          [&](MetadataKind kind) { return keep(kind, cut_segments(m_index.repomd, take_over(kind), m_scratch)); });
      if (!done) return std::move(done).error();
      proof = prove(m_index, m_reading.threads);
    }
    if (proof.failed_with(ErrorKind::corrupt)) {  // they list their packages in different orders, or different packages
      if (done = put_in_order(); !done) return std::move(done).error();
      proof = prove(m_index, m_reading.threads);
    }
    if (!proof) return std::move(proof).error();
    return std::move(m_index);
  }

private:
  // It failed, and not because the bytes could not be read.
  static bool is_about_content(const Result<void>& proof) {
    return proof.failed_with(ErrorKind::corrupt) || proof.failed_with(ErrorKind::unsupported);
  }

  TakeOver take_over(MetadataKind kind) const {
    return {kind, m_stored[kind], m_reading.compression, m_reading.threads, m_reading.sizes};
  }

  template <typename Work>
  Result<void> for_each_file(Work work) {
    return try_each_parallel(k_metadata_kinds.size(), m_reading.threads,
                             [&](std::size_t i) { return work(k_metadata_kinds[i].kind); });
  }

  Result<void> keep(MetadataKind kind, Result<SegmentedFile> file) {
    if (!file) return std::move(file).error();
    m_index.files[kind] = *std::move(file);
    return {};
  }

  Result<void> open(bool& believed) {
    PerKind<char> opened;
    auto done = for_each_file([&](MetadataKind kind) -> Result<void> {
      auto file = open_segments(m_index.repomd, take_over(kind));
      if (!file) return std::move(file).error();
      opened[kind] = file->has_value();
      if (*file) return keep(kind, **std::move(file));
      return keep(kind, cut_segments(m_index.repomd, take_over(kind), m_scratch));
    });
    for (const char by_table : opened.values) believed = believed || by_table;
    return done;
  }

  Result<void> put_in_order() {
    const SegmentedFile& primary = m_index.files[MetadataKind::primary];
    return for_each_file([&](MetadataKind kind) -> Result<void> {
      if (kind == MetadataKind::primary) return {};
      return keep(kind, cut_segments_in_order(m_index.repomd, take_over(kind), primary, m_scratch));
    });
  }

  const PerKind<SharedBytes>& m_stored;
  const IndexReading& m_reading;
  Scratch& m_scratch;
  RepoIndex m_index;
};

}  // namespace

Result<RepoIndex> read_index(Repomd repomd, const PerKind<SharedBytes>& stored, const IndexReading& reading,
                             Scratch& scratch) {
  return IndexReader(std::move(repomd), stored, reading, scratch).run();
}

}  // namespace repoupdate
