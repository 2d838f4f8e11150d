// SPDX-License-Identifier: Apache-2.0
#include "repodata/file_digest.hpp"

#include <memory>
#include <utility>

#include "base/in_order.hpp"

namespace repoupdate {
namespace {

// The digest that repomd.xml is to state, and SHA-256 for the store where that is another one.
class StoredHasher {
public:
  explicit StoredHasher(HashType type) : m_type(type), m_hasher(type) {
    if (type != HashType::sha256) m_sha256.emplace(HashType::sha256);
  }
  void update(std::string_view bytes) {
    m_hasher.update(bytes);
    if (m_sha256) m_sha256->update(bytes);
  }
  void finish(FileDigest& into) {
    into.checksum = {m_type, m_hasher.finish_hex()};
    into.sha256 = m_sha256 ? m_sha256->finish_hex() : into.checksum.hex;
  }

private:
  HashType m_type;
  Hasher m_hasher;
  std::optional<Hasher> m_sha256;
};

class FileDigester {
public:
  FileDigester(const SegmentedFile& file, bool open) : m_file(file), m_stored_hasher(file.checksum_type) {
    if (open) m_open_hasher.emplace(file.checksum_type);
  }

  Result<FileDigest> run(std::size_t threads) {
    const std::uint64_t frames_end = m_file.first_frame + m_file.table.stored_size();
    if (auto done = hash_stored(0, m_file.first_frame); !done) return std::move(done).error();
    if (auto done = m_open_hasher ? hash_frames(threads) : hash_stored(m_file.first_frame, frames_end); !done)
      return std::move(done).error();
    if (auto done = hash_stored(frames_end, m_file.stored->size()); !done) return std::move(done).error();
    FileDigest digest;
    m_stored_hasher.finish(digest);
    if (m_open_hasher) digest.open_checksum = Checksum{m_file.checksum_type, m_open_hasher->finish_hex()};
    return digest;
  }

private:
  Result<void> hash_stored(std::uint64_t begin, std::uint64_t end) {
    ComposedBytes part;
    part.append(m_file.stored, begin, end - begin);
    return read_through(part, [&](std::string_view piece) -> Result<void> {
      m_stored_hasher.update(piece);
      return {};
    });
  }

  Result<void> hash_frames(std::size_t threads) {
    const auto places = frame_places(m_file);
    std::size_t next = 0;
    const auto take = [&]() -> Result<std::optional<std::size_t>> {
      if (next == m_file.table.frames.size()) return std::optional<std::size_t>();
      return std::optional(next++);
    };
    const auto make_work = [&] {
      return [&, reader = std::make_shared<FrameReader>(m_file, true)](
                 std::size_t i) -> Result<std::shared_ptr<FrameReader>> {
        if (auto open = reader->open(m_file.table.frames[i], places[i].offset); !open) return std::move(open).error();
        return reader;  // its buffers are used again only after put() has returned
      };
    };
    const auto put = [&](const std::shared_ptr<FrameReader>& reader) -> Result<void> {
      m_stored_hasher.update(reader->last_stored());
      m_open_hasher->update(reader->last_open());
      return {};
    };
    return process_in_order(threads, take, make_work, put);
  }

  const SegmentedFile& m_file;
  StoredHasher m_stored_hasher;
  std::optional<Hasher> m_open_hasher;
};

}  // namespace

Result<FileDigest> digest_file(const SegmentedFile& file, bool open, std::size_t threads) {
  return FileDigester(file, open).run(threads);
}

}  // namespace repoupdate
