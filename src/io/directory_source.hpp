// SPDX-License-Identifier: Apache-2.0
// The file system as a source of events: packages that appear in or vanish from whole directory trees.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "io/directory_watch.hpp"
#include "io/posix_file.hpp"
#include "io/settling_files.hpp"
#include "model/event_source.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_directory_events = 10'000;  // in one delivery

struct DirectorySourceOptions {
  // How long a file must stay the same before it counts when nothing tells that it is complete: one that was
  // linked here or lay in a new directory, and one that was made here and not closed after writing since.
  Duration quiet_found{std::chrono::seconds(1)};
  Duration quiet_created{std::chrono::seconds(30)};
};

// Events have the root's path as bucket and the path below it as key. A file counts when it is closed after
// writing or moved here, and when it is gone; half-written ones are waited for. Only names that end in ".rpm"
// are reported, none that begins with '.', nothing below `repodata`.
//
// Nothing is redelivered: what was received and not dealt with when the process ends is lost, and found again by
// comparing a listing, as is what happened before open(). Used by one thread at a time.
class DirectorySource final : public EventSource {
public:
  // Watches from now on; files that are there already are not reported. A root that cannot be watched yet is
  // not a failure: receive() tells and tries again. `roots`: absolute paths without a trailing slash, at least
  // one. ErrorKind::no_space when the user has too many inotify instances.
  static Result<std::unique_ptr<DirectorySource>> open(std::vector<std::string> roots,
                                                       DirectorySourceOptions options = {});

  std::string name() const override { return m_name; }
  // At most k_max_directory_events events, each a "look at this key". When there are none, and a root is gone or
  // cannot be watched as a whole, the Error of DirectoryWatch::problem(); once it is back everything in it is
  // reported.
  Result<std::vector<Delivery>> receive(Duration wait, std::stop_token stop) override;
  Result<std::vector<Receipt>> acknowledge(std::span<const Receipt> receipts) override;
  Result<void> extend(std::span<const Receipt> receipts, Duration duration) override;
  Duration visibility() const override { return Duration::zero(); }

private:
  DirectorySource(std::vector<std::string> roots, DirectorySourceOptions options, std::unique_ptr<DirectoryWatch> watch,
                  FileHandle wake);

  void take(const std::vector<Sighting>& seen);
  void take_settled();
  void report(const WatchedFile& file);
  Result<void> wait_until(SteadyTime deadline) const;
  std::vector<Delivery> deliver();

  std::vector<std::string> m_roots;
  std::string m_name;
  DirectorySourceOptions m_options;
  std::unique_ptr<DirectoryWatch> m_watch;
  FileHandle m_wake;  // eventfd(2), readable once a stop is requested
  SettlingFiles m_settling;
  std::vector<Event> m_ready;
  std::uint64_t m_delivered = 0;
};

}  // namespace repoupdate
