// SPDX-License-Identifier: Apache-2.0
#include "rpm/header_reader.hpp"

#include <rpm/rpmio.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmts.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>

namespace repoupdate {
namespace {

struct CloseFd {
  void operator()(FD_t fd) const { Fclose(fd); }
};
using FdPtr = std::unique_ptr<std::remove_pointer_t<FD_t>, CloseFd>;

struct FreeTransaction {
  void operator()(rpmts transaction) const { rpmtsFree(transaction); }
};
using TransactionPtr = std::unique_ptr<std::remove_pointer_t<rpmts>, FreeTransaction>;

// One entry of the index: tag, type, offset and count, each a big-endian u32 (rpm/header_range.hpp).
constexpr std::uint64_t k_intro_bytes = 16;
constexpr std::uint64_t k_index_entry_bytes = 16;

// Lists that librpm takes for arrays of just this type without looking.
constexpr std::array k_exact_types{RPMTAG_OLDFILENAMES, RPMTAG_BASENAMES, RPMTAG_DIRNAMES, RPMTAG_DIRINDEXES};

Error system_error(std::string_view what) {
  return Error{ErrorKind::io, std::string(what) + ": " + std::generic_category().message(errno), {}};
}

// librpm reads from file descriptors only: a file in memory, written anew for each header.
class MemoryFile {
public:
  MemoryFile() : m_fd(memfd_create("rpm-header", MFD_CLOEXEC)) {}
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() {
    if (m_fd >= 0) close(m_fd);
  }

  // To be closed before the next call.
  Result<FdPtr> open(std::string_view bytes) {
    if (m_fd < 0) return system_error("memfd_create");
    const auto size = static_cast<off_t>(bytes.size());
    m_size = std::max(m_size, size);
    for (off_t done = 0; done < size;) {
      const auto rest = bytes.substr(static_cast<std::size_t>(done));
      const auto written = pwrite(m_fd, rest.data(), rest.size(), done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return failure();
      done += written;
    }
    // Only what is left of a larger one goes: pages that are used again cost nothing.
    if (size < m_size && ftruncate(m_fd, size) != 0) return failure();
    m_size = size;
    FdPtr file(fdDup(m_fd));  // a second descriptor of the same file and position
    if (!file || lseek(m_fd, 0, SEEK_SET) != 0) return failure();
    return file;
  }

private:
  static Error failure() { return system_error("copying the header into memory"); }

  int m_fd;
  off_t m_size = 0;
};

Result<HeaderPtr> read_with(rpmts transaction, std::string_view head, rpmVSFlags flags) {
  thread_local MemoryFile memory;  // making one costs as much as reading a small header
  auto file = memory.open(head);
  if (!file) return std::move(file).error();
  rpmtsSetVSFlags(transaction, flags);
  Header header = nullptr;
  const auto outcome = rpmReadPackageFile(transaction, file->get(), "header", &header);
  HeaderPtr owned(header);
  if (outcome != RPMRC_OK || !owned) return Error{ErrorKind::corrupt, "the header does not parse", {}};
  return owned;
}

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// As the specifications of the format spell it: "REQUIRENAME", where librpm says "Requirename".
std::string name_of(rpmTagVal tag) {
  std::string name = rpmTagGetName(tag);
  for (char& c : name)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return name;
}

bool has_type(rpmTagVal tag, std::uint32_t number) {
  const auto expected = rpmTagGetTagType(tag);
  const bool is_exact = std::find(k_exact_types.begin(), k_exact_types.end(), tag) != k_exact_types.end();
  if (!is_exact && expected == RPM_NULL_TYPE) return true;  // not known: nothing reads it
  if (number > RPM_MAX_TYPE) return false;
  const auto type = static_cast<rpmTagType>(number);
  return is_exact ? type == expected : rpmTagTypeGetClass(type) == rpmTagTypeGetClass(expected);
}

// Lists that belong together entry by entry. libcreaterepo_c walks them side by side, drops what is left of the longer
// ones, and loses their memory.
constexpr std::size_t k_most_lists = 4;
constexpr std::array<std::array<rpmTagVal, k_most_lists>, 10> k_parallel_lists{{
    {RPMTAG_PROVIDENAME, RPMTAG_PROVIDEFLAGS, RPMTAG_PROVIDEVERSION},
    {RPMTAG_REQUIRENAME, RPMTAG_REQUIREFLAGS, RPMTAG_REQUIREVERSION},
    {RPMTAG_CONFLICTNAME, RPMTAG_CONFLICTFLAGS, RPMTAG_CONFLICTVERSION},
    {RPMTAG_OBSOLETENAME, RPMTAG_OBSOLETEFLAGS, RPMTAG_OBSOLETEVERSION},
    {RPMTAG_RECOMMENDNAME, RPMTAG_RECOMMENDFLAGS, RPMTAG_RECOMMENDVERSION},
    {RPMTAG_SUGGESTNAME, RPMTAG_SUGGESTFLAGS, RPMTAG_SUGGESTVERSION},
    {RPMTAG_SUPPLEMENTNAME, RPMTAG_SUPPLEMENTFLAGS, RPMTAG_SUPPLEMENTVERSION},
    {RPMTAG_ENHANCENAME, RPMTAG_ENHANCEFLAGS, RPMTAG_ENHANCEVERSION},
    {RPMTAG_BASENAMES, RPMTAG_FILEMODES, RPMTAG_FILEFLAGS, RPMTAG_DIRINDEXES},
    {RPMTAG_OLDFILENAMES, RPMTAG_FILEMODES, RPMTAG_FILEFLAGS},
}};

constexpr std::size_t k_file_lists = k_parallel_lists.size() - 2;  // from there on, names of files first

// The lengths of those lists, as far as they have been seen.
class ListLengths {
public:
  Result<void> add(rpmTagVal tag, std::uint32_t length) {
    for (std::size_t i = 0; i < k_parallel_lists.size(); ++i) {
      const auto& lists = k_parallel_lists[i];
      const auto place = std::find(lists.begin(), lists.end(), tag);
      if (place == lists.end()) continue;
      m_seen[i][static_cast<std::size_t>(place - lists.begin())] = true;
      auto& first = m_first[i];
      if (!first) first = {tag, length};
      if (first->length != length)
        return Error{ErrorKind::corrupt,
                     "the header's tag " + name_of(tag) + " has " + std::to_string(length) + " entries, " +
                         name_of(first->tag) + ' ' + std::to_string(first->length),
                     {}};
    }
    return {};
  }

  // Files without one of their lists cost it memory as well.
  Result<void> finish() const {
    for (std::size_t i = k_file_lists; i < k_parallel_lists.size(); ++i)
      for (std::size_t list = 1; list < k_most_lists; ++list)
        if (const auto tag = k_parallel_lists[i][list]; tag != 0 && m_seen[i][0] && !m_seen[i][list])
          return Error{
              ErrorKind::corrupt, "the header has " + name_of(k_parallel_lists[i][0]) + " and no " + name_of(tag), {}};
    return {};
  }

private:
  struct List {
    rpmTagVal tag;
    std::uint32_t length;
  };
  std::array<std::optional<List>, k_parallel_lists.size()> m_first;
  std::array<std::array<bool, k_most_lists>, k_parallel_lists.size()> m_seen{};
};

// Numbers where text should be, or one string where many should be, would be followed as pointers: librpm
// checks types only in headers that have an immutable region, and takes any kind of string for any other.
Result<void> check_index(std::string_view head, const HeaderRange& range) {
  ListLengths lengths;
  auto index = head.substr(range.start + k_intro_bytes);
  for (auto entries = read_u32(head.substr(range.start + 8)); entries > 0; --entries) {
    const auto tag = static_cast<rpmTagVal>(read_u32(index));
    if (!has_type(tag, read_u32(index.substr(4))))
      return Error{ErrorKind::corrupt, "the header's tag " + name_of(tag) + " has a wrong type", {}};
    if (auto checked = lengths.add(tag, read_u32(index.substr(12))); !checked) return checked;
    index.remove_prefix(k_index_entry_bytes);
  }
  return lengths.finish();
}

}  // namespace

// librpm's configuration and log belong to the process. It is told to stay silent: it would write to standard
// error, and keep every message for ever.
void prepare_librpm() {
  static std::once_flag once;
  std::call_once(once, [] {
    rpmlogSetMask(RPMLOG_MASK(RPMLOG_EMERG));
    rpmReadConfigFiles(nullptr, nullptr);
  });
}

Result<HeaderPtr> read_header(std::string_view head, const HeaderRange& range) {
  prepare_librpm();
  if (auto checked = check_index(head, range); !checked) return std::move(checked).error();
  // Making one costs as much as reading a small header. It holds nothing of the headers that it read.
  thread_local const TransactionPtr transaction(rpmtsCreate());
  if (!transaction) return Error{ErrorKind::io, "librpm made no transaction", {}};
  auto header = read_with(transaction.get(), head, _RPMVSF_NOSIGNATURES);
  // librpm does not say why; without digests it tells damage from nonsense.
  if (header.failed_with(ErrorKind::corrupt) &&
      read_with(transaction.get(), head, _RPMVSF_NOSIGNATURES | _RPMVSF_NODIGESTS))
    return Error{ErrorKind::corrupt, "the header's digest does not match its bytes", {}};
  return header;
}

}  // namespace repoupdate
