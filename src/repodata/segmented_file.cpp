// SPDX-License-Identifier: Apache-2.0
#include "repodata/segmented_file.hpp"

namespace repoupdate {

std::vector<FramePlace> frame_places(const SegmentedFile& file) {
  std::vector<FramePlace> places;
  places.reserve(file.table.frames.size() + 1);
  FramePlace place{file.first_frame, 0};
  places.push_back(place);
  for (const Frame& frame : file.table.frames) {
    place.offset += frame.stored_size;
    place.first_package += frame.packages;
    places.push_back(place);
  }
  return places;
}

Result<std::string_view> FrameReader::open(const Frame& frame, std::uint64_t offset) {
  m_stored.resize(static_cast<std::size_t>(frame.stored_size));
  if (auto read = m_file.stored->read(offset, m_stored); !read) return std::move(read).error();
  if (auto decoded = m_decoder.decode(m_stored, frame.open_size, m_open); !decoded) return std::move(decoded).error();
  if (m_checks_crc && crc32_of(m_open) != frame.crc32)
    return Error{ErrorKind::corrupt, "the frame at byte " + std::to_string(offset) + " has another CRC", {}};
  return std::string_view(m_open);
}

}  // namespace repoupdate
