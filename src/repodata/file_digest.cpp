// SPDX-License-Identifier: Apache-2.0
#include "repodata/file_digest.hpp"

#include <memory>
#include <optional>
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

// In memory until it is hashed.
struct ReadFrame {
  std::shared_ptr<FrameReader> reader;  // reads the next frame only after put() has returned
  std::size_t number = 0;
  std::string_view stored;
  std::string_view open;
};

class FileDigester {
public:
  FileDigester(const SegmentedFile& file, const DigestOptions& options)
      : m_file(file), m_options(options), m_stored_hasher(file.checksum_type) {
    if (options.open) m_open_hasher.emplace(file.checksum_type);
  }

  Result<FileDigest> run() {
    const std::uint64_t frames_end = m_file.first_frame + m_file.table.stored_size();
    if (auto done = hash_stored(0, m_file.first_frame); !done) return std::move(done).error();
    if (auto done = m_open_hasher ? hash_frames() : hash_stored(m_file.first_frame, frames_end); !done)
      return std::move(done).error();
    if (auto done = hash_stored(frames_end, m_file.stored->size()); !done) return std::move(done).error();
    m_stored_hasher.finish(m_digest);
    if (m_open_hasher) m_digest.open_checksum = Checksum{m_file.checksum_type, m_open_hasher->finish_hex()};
    return std::move(m_digest);
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

  Result<void> hash_frames() {
    std::size_t next = 0;
    const auto take = [&]() -> Result<std::optional<std::size_t>> {
      if (next == m_file.table.frames.size()) return std::optional<std::size_t>();
      return std::optional(next++);
    };
    const auto make_work = [&] {
      return [&, reader = std::make_shared<FrameReader>(m_file, true)](std::size_t i) -> Result<ReadFrame> {
        const auto open = reader->open(i);
        if (!open) return open.error();
        const auto stored = reader->stored(i);
        if (!stored) return stored.error();
        return ReadFrame{reader, i, *stored, *open};
      };
    };
    const auto put = [&](const ReadFrame& frame) -> Result<void> {
      m_stored_hasher.update(frame.stored);
      m_open_hasher->update(frame.open);
      if (!m_options.keep) return {};
      auto kept = frame.reader->keep(frame.number);
      if (!kept) return std::move(kept).error();
      m_digest.kept.push_back(*std::move(kept));
      return {};
    };
    // With kept frames, next to nothing is left to do beside the hashing.
    return process_in_order(m_file.kept.empty() ? m_options.threads : 1, take, make_work, put);
  }

  const SegmentedFile& m_file;
  const DigestOptions& m_options;
  StoredHasher m_stored_hasher;
  std::optional<Hasher> m_open_hasher;
  FileDigest m_digest;
};

}  // namespace

Result<FileDigest> digest_file(const SegmentedFile& file, const DigestOptions& options) {
  return FileDigester(file, options).run();
}

}  // namespace repoupdate
