// SPDX-License-Identifier: Apache-2.0
#include "sync/sweep_notes.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/hash.hpp"
#include "model/metadata_kind.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_title = "repoupdate sweep notes 1";
constexpr std::uint64_t k_max_size = 64ULL << 20;  // some 400,000 files
constexpr int k_max_attempts = 3;                  // while others write it, too
constexpr std::string_view k_metadata_prefix = "repodata/";

std::string_view take_word(std::string_view& line) {
  const auto end = line.find(' ');
  const auto word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

std::optional<SystemTime> take_time(std::string_view& line) {
  const auto word = take_word(line);
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), seconds);
  if (failure != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return SystemTime(std::chrono::seconds(seconds));
}

std::string number(SystemTime time) {
  return std::to_string(time.time_since_epoch().count());
}

// One line; false when it is none of ours.
bool read_line(std::string_view line, SweepNotes& notes) {
  const auto what = take_word(line);
  if (what == "since") {
    const auto since = take_time(line);
    const auto modified = take_time(line);
    if (!since || !modified || line.empty()) return false;
    notes.seen[std::string(line)] = {*since, *modified};
    return true;
  }
  if (what != "known" || line.empty()) return false;
  notes.known.emplace(line);
  return true;
}

Result<void> put_notes(const Repository& repository, const StoredNotes& loaded, const SweepNotes& notes) {
  const auto abilities = repository.store->abilities(repository.prefix);
  if (!abilities) return abilities.error();
  PutOptions options;
  options.content_type = "text/plain";
  options.cache_control = "no-cache";
  if (abilities->has_compare_and_swap()) {
    options.if_absent = !loaded.etag;
    options.if_match = loaded.etag;
  }
  const auto put = repository.store->put(repository.prefix + std::string(k_sweep_notes_key), to_text(notes), options);
  return put ? Result<void>() : Result<void>(put.error());
}

bool is_race(const Result<void>& put) {
  return put.failed_with(ErrorKind::precondition_failed) || put.failed_with(ErrorKind::conflict);
}

}  // namespace

std::string to_text(const SweepNotes& notes) {
  std::string text(k_title);
  text += '\n';
  for (const auto& [key, sight] : notes.seen)
    text += "since " + number(sight.since) + ' ' + number(sight.modified) + ' ' + key + '\n';
  for (const auto& key : notes.known) text += "known " + key + '\n';
  return text;
}

SweepNotes parse_sweep_notes(std::string_view text) {
  SweepNotes notes;
  bool is_title = true;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (end == std::string_view::npos || (is_title ? line != k_title : !read_line(line, notes))) return {};
    is_title = false;
    text.remove_prefix(end + 1);
  }
  return notes;
}

Result<StoredNotes> load_sweep_notes(const Repository& repository) {
  const auto object = repository.store->get(repository.prefix + std::string(k_sweep_notes_key), {}, k_max_size);
  if (object.failed_with(ErrorKind::not_found)) return StoredNotes{};
  if (!object) return object.error();
  return StoredNotes{parse_sweep_notes(object->bytes), object->info.etag};
}

Result<void> store_sweep_notes(const Repository& repository, const StoredNotes& loaded, SweepNotes notes) {
  StoredNotes base = loaded;
  for (int attempt = 1;; ++attempt) {
    auto put = put_notes(repository, base, notes);
    if (!is_race(put) || attempt == k_max_attempts) return put;
    auto now = load_sweep_notes(repository);
    if (!now) return std::move(now).error();
    base = *std::move(now);
    for (const auto& key : base.notes.known)
      if (!loaded.notes.known.contains(key)) notes.known.insert(key);
  }
}

std::optional<HashedName> parse_hashed_name(std::string_view key) {
  if (!key.starts_with(k_metadata_prefix)) return std::nullopt;
  key.remove_prefix(k_metadata_prefix.size());
  const auto dash = key.find('-');
  if (dash == std::string_view::npos || key.find('/') != std::string_view::npos) return std::nullopt;
  const HashedName name{key.substr(0, dash), key.substr(dash + 1)};
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!hash_type_of_length(name.hash.size()) || !std::ranges::all_of(name.hash, is_hex)) return std::nullopt;
  return name.rest.empty() ? std::nullopt : std::optional(name);
}

bool has_our_name(std::string_view key) {
  const auto name = parse_hashed_name(key);
  if (!name) return false;
  return std::ranges::any_of(k_metadata_kinds, [&](const MetadataKindInfo& about) {
    const std::string open = std::string(about.name) + ".xml";
    return name->rest == open + ".gz" || name->rest == open + ".zst";
  });
}

Result<void> note_superseded(const Repository& repository, const std::vector<std::string>& superseded) {
  std::vector<std::string> unknown;
  std::ranges::copy_if(superseded, std::back_inserter(unknown), [](const auto& key) { return !has_our_name(key); });
  if (unknown.empty()) return {};
  for (int attempt = 1;; ++attempt) {
    auto loaded = load_sweep_notes(repository);
    if (!loaded) return std::move(loaded).error();
    SweepNotes notes = loaded->notes;
    notes.known.insert(unknown.begin(), unknown.end());
    if (notes == loaded->notes) return {};
    auto put = put_notes(repository, *loaded, notes);
    if (!is_race(put) || attempt == k_max_attempts) return put;
  }
}

}  // namespace repoupdate
