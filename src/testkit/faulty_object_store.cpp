// SPDX-License-Identifier: Apache-2.0
#include "testkit/faulty_object_store.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "model/pinned_bytes.hpp"

namespace repoupdate {
namespace {

// What the caller is told. Nothing for faults of the bytes alone.
std::optional<ErrorKind> told(Fault fault) {
  switch (fault) {
    case Fault::reset_before:
    case Fault::reset_after:
    case Fault::truncated:
    case Fault::killed:
    case Fault::killed_after: return ErrorKind::unavailable;
    case Fault::timeout_before:
    case Fault::timeout_after: return ErrorKind::timed_out;
    case Fault::denied: return ErrorKind::denied;
    case Fault::not_found: return ErrorKind::not_found;
    case Fault::no_store: return ErrorKind::no_store;
    case Fault::precondition_failed:
    case Fault::precondition_failed_after: return ErrorKind::precondition_failed;
    case Fault::conflict:
    case Fault::conflict_after: return ErrorKind::conflict;
    case Fault::throttled: return ErrorKind::throttled;
    case Fault::refused: return ErrorKind::corrupt;
    case Fault::none:
    case Fault::cut_short:
    case Fault::wrong_bytes: break;
  }
  return std::nullopt;
}

bool has_effect(Fault fault) {
  return fault == Fault::none || fault == Fault::reset_after || fault == Fault::timeout_after ||
         fault == Fault::precondition_failed_after || fault == Fault::conflict_after || fault == Fault::killed_after;
}

bool is_about_answer(Fault fault) {
  return fault == Fault::reset_after || fault == Fault::timeout_after;
}

bool is_about_bytes(Fault fault) {
  return fault == Fault::truncated || fault == Fault::cut_short || fault == Fault::wrong_bytes;
}

std::string get_call(std::string_view key, const GetOptions& options, std::string_view verb) {
  if (!options.range) return std::string(verb) + ' ' + std::string(key);
  return "GET " + std::string(key) + ' ' + std::to_string(options.range->first) + '+' +
         std::to_string(options.range->length);
}

std::size_t place_in(std::size_t size, double where) {
  return std::min(static_cast<std::size_t>(where * static_cast<double>(size)), size - 1);
}

void damage(std::string& bytes, Fault fault, double where) {
  if (bytes.empty()) return;
  const std::size_t place = place_in(bytes.size(), where);
  if (fault == Fault::wrong_bytes) bytes[place] = static_cast<char>(bytes[place] ^ 0x20);
  if (fault == Fault::cut_short || fault == Fault::truncated) bytes.resize(place);
}

}  // namespace

std::string_view to_string(Fault fault) {
  constexpr std::array names{"none",          "reset before",  "reset after", "timeout before",
                             "timeout after", "403",           "404",         "404 of the bucket",
                             "412",           "412 after",     "409",         "409 after",
                             "503",           "400",           "truncated",   "cut short",
                             "wrong bytes",   "killed before", "killed after"};
  return names[static_cast<std::size_t>(fault)];
}

bool is_possible(Fault fault, std::string_view call) {
  const bool gets = call.starts_with("GET ") || call.starts_with("READ ");
  const bool changes = call.starts_with("PUT ") || call.starts_with("DELETE ") || call.starts_with("DROP ");
  if (is_about_bytes(fault)) return gets;
  return changes || has_effect(fault) == (fault == Fault::none);  // what changes nothing has no "after"
}

// How a call that was admitted goes on.
struct FaultyObjectStore::Course {
  std::string call;
  Fault fault;

  Error error() const { return {*told(fault), call + ": " + std::string(to_string(fault)), {}}; }
};

std::vector<std::string> FaultyObjectStore::calls() const {
  const std::scoped_lock lock(m_mutex);
  return m_calls;
}

bool FaultyObjectStore::is_dead() const {
  const std::scoped_lock lock(m_mutex);
  return m_dead;
}

void FaultyObjectStore::restart() {
  const std::scoped_lock lock(m_mutex);
  m_counts.clear();
  m_calls.clear();
  m_dead = false;
}

FaultyObjectStore::Course FaultyObjectStore::admit(std::string call) {
  const std::scoped_lock lock(m_mutex);
  if (m_dead) return {std::move(call), Fault::killed};
  const int count = ++m_counts[call];
  if (count > 1) call += " (" + std::to_string(count) + ")";
  m_calls.push_back(call);
  const Fault fault = on_call ? on_call(call) : Fault::none;
  m_dead = fault == Fault::killed || fault == Fault::killed_after;
  return {std::move(call), fault};
}

template <typename Answer, typename Work>
Result<Answer> FaultyObjectStore::look(std::string call, const Work& work) {
  const Course course = admit(std::move(call));
  if (told(course.fault)) return course.error();
  return work();
}

template <typename Answer, typename Work>
Result<Answer> FaultyObjectStore::change(std::string call, const Work& work, Repeated repeated) {
  const Course course = admit(std::move(call));
  if (!has_effect(course.fault)) return course.error();
  Result<Answer> answer = [&] {
    const std::scoped_lock lock(m_effects);
    Result<Answer> done = work();
    if (after_effect) after_effect(course.call);
    if (repeated == Repeated::unless_answered && is_about_answer(course.fault)) {
      done = work();
      if (after_effect) after_effect(course.call);
    }
    return done;
  }();
  // Of what was refused no answer is worth losing.
  if (told(course.fault)) return course.error();
  return answer;
}

Result<ObjectInfo> FaultyObjectStore::head(std::string_view key) {
  return look<ObjectInfo>("HEAD " + std::string(key), [&] { return m_store.head(key); });
}

Result<Object> FaultyObjectStore::get(std::string_view key, const GetOptions& options, std::uint64_t limit) {
  const Course course = admit(get_call(key, options, "GET"));
  if (told(course.fault)) return course.error();
  auto object = m_store.get(key, options, limit);
  if (!object || !is_about_bytes(course.fault)) return object;
  damage(object->bytes, course.fault, where);
  if (!options.range && object->info.sha256 && *object->info.sha256 != sha256_hex(object->bytes))
    return Error{ErrorKind::corrupt, course.call + ": " + std::string(to_string(course.fault)), {}};
  return object;
}

Result<ObjectInfo> FaultyObjectStore::read(std::string_view key, const GetOptions& options, const ByteSink& sink) {
  const Course course = admit(get_call(key, options, "READ"));
  if (!is_about_bytes(course.fault)) {
    if (told(course.fault)) return course.error();
    return m_store.read(key, options, sink);
  }
  std::string bytes;
  const auto info = m_store.read(key, options, [&](std::string_view piece) -> Result<void> {
    bytes += piece;
    return {};
  });
  if (!info) return info;
  const std::string before = bytes;
  damage(bytes, course.fault, where);
  if (auto taken = sink(bytes); !taken) return taken.error();
  if (course.fault == Fault::truncated) return course.error();
  if (!options.range && info->sha256 && bytes != before)
    return Error{ErrorKind::corrupt, course.call + ": " + std::string(to_string(course.fault)), {}};
  return info;
}

Result<SharedBytes> FaultyObjectStore::open(std::string_view key) {
  if (is_local()) return look<SharedBytes>("HEAD " + std::string(key), [&] { return m_store.open(key); });
  auto info = head(key);
  if (!info) return std::move(info).error();
  return SharedBytes(std::make_shared<const PinnedBytes>(*this, *std::move(info)));
}

Result<ObjectInfo> FaultyObjectStore::put(std::string_view key, std::string_view bytes, const PutOptions& options) {
  return change<ObjectInfo>("PUT " + std::string(key), [&] { return m_store.put(key, bytes, options); });
}

Result<ObjectInfo> FaultyObjectStore::put(std::string_view key, const StoredBytes& body, const PutOptions& options) {
  return change<ObjectInfo>("PUT " + std::string(key), [&] { return m_store.put(key, body, options); });
}

Result<ObjectInfo> FaultyObjectStore::put_file(std::string_view key, const std::filesystem::path& file,
                                               const PutOptions& options, const UploadProgress& progress) {
  return change<ObjectInfo>("PUT " + std::string(key), [&] { return m_store.put_file(key, file, options, progress); });
}

Result<void> FaultyObjectStore::remove(std::string_view key, const RemoveOptions& options) {
  return change<void>(
      "DELETE " + std::string(key), [&] { return m_store.remove(key, options); },
      options.once ? Repeated::never : Repeated::unless_answered);
}

Result<ListPage> FaultyObjectStore::list(std::string_view prefix, std::string_view continuation) {
  return look<ListPage>("LIST " + std::string(prefix), [&] { return m_store.list(prefix, continuation); });
}

Result<ListPage> FaultyObjectStore::list_after(std::string_view prefix, std::string_view after, std::size_t at_most) {
  return look<ListPage>("LIST " + std::string(prefix) + " after " + std::string(after),
                        [&] { return m_store.list_after(prefix, after, at_most); });
}

Result<UploadPage> FaultyObjectStore::list_uploads(std::string_view prefix, std::string_view continuation) {
  return look<UploadPage>("UPLOADS " + std::string(prefix), [&] { return m_store.list_uploads(prefix, continuation); });
}

Result<void> FaultyObjectStore::drop_upload(const PendingUpload& upload) {
  return change<void>("DROP " + upload.key + ' ' + upload.id, [&] { return m_store.drop_upload(upload); });
}

}  // namespace repoupdate
