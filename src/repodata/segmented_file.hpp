// SPDX-License-Identifier: Apache-2.0
// A metadata file whose frames are known: it can be read and edited in places.
#pragma once

#include <cstddef>
#include <cstdint>
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

struct SegmentedFile {
  MetadataKind kind = MetadataKind::primary;
  Compression compression = Compression::gz;
  HashType checksum_type = HashType::sha256;  // that repomd.xml states for it
  SharedBytes stored;
  std::uint64_t first_frame = 0;  // offset in `stored`
  SegmentTable table;
  std::optional<SegmentSizes> sizes;  // that edits keep to; none: segment_sizes() of its open size
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
      : m_file(file), m_decoder(file.compression), m_checks_crc(!trusted || file.compression == Compression::gz) {}

  // Valid until the next read. corrupt when the frame is not what the table says: size, CRC.
  Result<std::string_view> open(const Frame& frame, std::uint64_t offset);
  std::string take_open() { return std::move(m_open); }
  // Of the last frame.
  std::string_view last_stored() const { return m_stored; }
  std::string_view last_open() const { return m_open; }

private:
  const SegmentedFile& m_file;
  FrameDecoder m_decoder;
  bool m_checks_crc;
  std::string m_stored;
  std::string m_open;
};

}  // namespace repoupdate
