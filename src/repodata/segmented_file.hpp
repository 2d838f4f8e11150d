// SPDX-License-Identifier: Apache-2.0
// A metadata file whose frames are known: it can be read and edited in places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "model/stored_bytes.hpp"
#include "repodata/compression.hpp"
#include "repodata/frame_codec.hpp"
#include "repodata/segment_sizes.hpp"
#include "repodata/segment_table.hpp"

namespace repoupdate {

// A frame in memory, as it is stored and as it is open.
struct KeptFrame {
  std::string stored;
  std::string open;
};
using KeptFrames = std::vector<std::shared_ptr<const KeptFrame>>;  // one for each frame, null where there is none

struct SegmentedFile {
  MetadataKind kind = MetadataKind::primary;
  Compression compression = Compression::gz;
  HashType checksum_type = HashType::sha256;  // that repomd.xml states for it
  SharedBytes stored;
  std::uint64_t first_frame = 0;  // offset in `stored`
  SegmentTable table;
  std::optional<SegmentSizes> sizes;  // that edits keep to; none: segment_sizes() of its open size
  KeptFrames kept;                    // or empty; they are what `stored` and `table` say
};

// Where a frame lies.
struct FramePlace {
  std::uint64_t offset = 0;       // in the stored file
  std::size_t first_package = 0;  // position of the first package that begins in it
};

// One for each frame, and one behind the last.
std::vector<FramePlace> frame_places(const SegmentedFile& file);

// Reads frames of one file; one for each thread. The file must outlive it.
class FrameReader {
public:
  // `trusted`: the table is known to be right, so that a zstd frame's own checksum is enough.
  explicit FrameReader(const SegmentedFile& file, bool trusted = false)
      : m_file(file),
        m_places(frame_places(file)),
        m_decoder(file.compression),
        m_checks_crc(!trusted || file.compression == Compression::gz) {}

  // The bytes of one frame, by its number in the table. Valid until another frame is read. corrupt when the frame is not
  // what the table says: size, CRC.
  Result<std::string_view> stored(std::size_t frame);
  Result<std::string_view> open(std::size_t frame);
  // Without a copy where that can be.
  Result<std::string> take_open(std::size_t frame);
  Result<std::shared_ptr<const KeptFrame>> keep(std::size_t frame);

private:
  const KeptFrame* kept(std::size_t frame) const {
    return frame < m_file.kept.size() ? m_file.kept[frame].get() : nullptr;
  }
  Result<void> read_stored(std::size_t frame);
  Result<void> read_open(std::size_t frame);

  const SegmentedFile& m_file;
  std::vector<FramePlace> m_places;
  FrameDecoder m_decoder;
  bool m_checks_crc;
  std::optional<std::size_t> m_stored_frame, m_open_frame;  // whose bytes these are
  std::string m_stored;
  std::string m_open;
};

}  // namespace repoupdate
