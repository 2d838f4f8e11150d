// SPDX-License-Identifier: Apache-2.0
#include "repodata/empty_repository.hpp"

#include <string>
#include <utility>

#include "repodata/frame_draft.hpp"
#include "repodata/prolog.hpp"
#include "repodata/take_over.hpp"

namespace repoupdate {
namespace {

// Prolog and trailer, a frame each.
SegmentedFile empty_file(SegmentedFile file) {
  const std::string document = empty_document(file.kind);
  const std::size_t trailer = document.rfind("</");
  FrameEncoder encoder(file.compression);
  std::string stored;
  for (const std::string_view open :
       {std::string_view(document).substr(0, trailer), std::string_view(document).substr(trailer)}) {
    NewFrame frame = encode_frame({open, draft_segments({0}, open.size(), {}), {}}, encoder, file.compression);
    for (const auto& part : frame.parts) stored += part.bytes;
    file.table.frames.push_back(std::move(frame.row));
  }
  file.stored = in_memory(std::move(stored));
  return file;
}

}  // namespace

RepoIndex empty_repository(Repomd repomd, std::optional<Compression> compression) {
  RepoIndex index;
  for (const auto& about : k_metadata_kinds)
    index.files[about.kind] = empty_file(describe_file(repomd, about.kind, compression));
  index.repomd = std::move(repomd);
  index.proven = true;
  return index;
}

}  // namespace repoupdate
