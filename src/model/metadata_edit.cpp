// SPDX-License-Identifier: Apache-2.0
#include "model/metadata_edit.hpp"

#include <map>

namespace repoupdate {

std::string to_string(const MetadataEdit& edit) {
  struct Line {
    char mark;
    const Nevra* nevra;
  };
  std::map<std::string, Line> lines;
  for (const auto& erase : edit.erases) lines[erase.location_href] = {'-', &erase.nevra};
  for (const auto& record : edit.inserts) {
    const bool replaces = lines.contains(record.location_href);
    lines[record.location_href] = {replaces ? '~' : '+', &record.nevra};
  }
  std::string text;
  for (const auto& [href, line] : lines) {
    text += line.mark;
    text += ' ' + to_string(*line.nevra) + ' ' + href + '\n';
  }
  return text;
}

}  // namespace repoupdate
