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

Result<void> FrameReader::read_stored(std::size_t frame) {
  if (m_stored_frame == frame) return {};
  m_stored_frame.reset();
  m_stored.resize(static_cast<std::size_t>(m_file.table.frames[frame].stored_size));
  if (auto read = m_file.stored->read(m_places[frame].offset, m_stored); !read) return read;
  m_stored_frame = frame;
  return {};
}

Result<void> FrameReader::read_open(std::size_t frame) {
  if (m_open_frame == frame) return {};
  m_open_frame.reset();
  if (auto read = read_stored(frame); !read) return read;
  const Frame& row = m_file.table.frames[frame];
  if (auto decoded = m_decoder.decode(m_stored, row.open_size, m_open); !decoded) return decoded;
  if (m_checks_crc && crc32_of(m_open) != row.crc32)
    return Error{
        ErrorKind::corrupt, "the frame at byte " + std::to_string(m_places[frame].offset) + " has another CRC", {}};
  m_open_frame = frame;
  return {};
}

Result<std::string_view> FrameReader::stored(std::size_t frame) {
  if (const KeptFrame* known = kept(frame)) return std::string_view(known->stored);
  if (auto read = read_stored(frame); !read) return std::move(read).error();
  return std::string_view(m_stored);
}

Result<std::string_view> FrameReader::open(std::size_t frame) {
  if (const KeptFrame* known = kept(frame)) return std::string_view(known->open);
  if (auto read = read_open(frame); !read) return std::move(read).error();
  return std::string_view(m_open);
}

Result<std::string> FrameReader::take_open(std::size_t frame) {
  if (const KeptFrame* known = kept(frame)) return known->open;
  if (auto read = read_open(frame); !read) return std::move(read).error();
  m_open_frame.reset();
  return std::move(m_open);
}

Result<std::shared_ptr<const KeptFrame>> FrameReader::keep(std::size_t frame) {
  if (kept(frame)) return m_file.kept[frame];
  auto open = take_open(frame);
  if (!open) return std::move(open).error();
  m_stored_frame.reset();
  return std::make_shared<const KeptFrame>(KeptFrame{std::move(m_stored), *std::move(open)});
}

}  // namespace repoupdate
