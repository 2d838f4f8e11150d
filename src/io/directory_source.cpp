// SPDX-License-Identifier: Apache-2.0
#include "io/directory_source.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

namespace repoupdate {
namespace {

SteadyTime steady_now() {
  return std::chrono::steady_clock::now();
}

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileStamp{static_cast<std::uint64_t>(status.st_size), modified_nanoseconds(status)};
}

std::string name_of(const std::vector<std::string>& roots) {
  return roots.size() == 1 ? roots.front()
                           : roots.front() + " and " + std::to_string(roots.size() - 1) + " more directories";
}

}  // namespace

Result<std::unique_ptr<DirectorySource>> DirectorySource::open(std::vector<std::string> roots,
                                                               DirectorySourceOptions options) {
  if (roots.empty()) return Error{ErrorKind::invalid, "no directory to watch", {}};
  auto watch = DirectoryWatch::open(roots);
  if (!watch) return std::move(watch).error();
  FileHandle wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (wake.get() < 0) return errno_error(errno, "eventfd");
  (*watch)->restore();  // what is there already is not news
  return std::unique_ptr<DirectorySource>(
      new DirectorySource(std::move(roots), options, *std::move(watch), std::move(wake)));
}

DirectorySource::DirectorySource(std::vector<std::string> roots, DirectorySourceOptions options,
                                 std::unique_ptr<DirectoryWatch> watch, FileHandle wake)
    : m_roots(std::move(roots)),
      m_name(name_of(m_roots)),
      m_options(options),
      m_watch(std::move(watch)),
      m_wake(std::move(wake)) {}

Result<std::vector<Delivery>> DirectorySource::receive(Duration wait, std::stop_token stop) {
  const SteadyTime deadline = steady_now() + wait;
  eventfd_t earlier = 0;
  ::eventfd_read(m_wake.get(), &earlier);  // a stop that ended the wait before
  const std::stop_callback wake_up(stop, [this] { ::eventfd_write(m_wake.get(), 1); });
  take(m_watch->restore());
  while (true) {
    take(m_watch->drain());
    take_settled();
    if (!m_ready.empty()) return deliver();
    if (stop.stop_requested()) return std::vector<Delivery>{};
    if (steady_now() >= deadline) break;
    if (auto waited = wait_until(deadline); !waited) return std::move(waited).error();
  }
  if (auto problem = m_watch->problem()) return *std::move(problem);
  return std::vector<Delivery>{};
}

void DirectorySource::take(const std::vector<Sighting>& seen) {
  const SteadyTime now = steady_now();
  for (const Sighting& sighting : seen) {
    const bool waits = sighting.kind == Sighting::Kind::created || sighting.kind == Sighting::Kind::found;
    if (!waits) {
      m_settling.forget(sighting.file);
      report(sighting.file);
    } else if (const auto stamp = stamp_of(m_watch->path(sighting.file))) {
      const bool is_created = sighting.kind == Sighting::Kind::created;
      m_settling.add(sighting.file, *stamp, is_created ? m_options.quiet_created : m_options.quiet_found, now);
    }
  }
}

void DirectorySource::take_settled() {
  const auto look = [this](const WatchedFile& file) { return stamp_of(m_watch->path(file)); };
  for (const WatchedFile& file : m_settling.take_settled(steady_now(), look)) report(file);
}

void DirectorySource::report(const WatchedFile& file) {
  m_ready.push_back({m_roots[file.root], file.key, file.key});
}

Result<void> DirectorySource::wait_until(SteadyTime deadline) const {
  if (const auto settled = m_settling.next()) deadline = std::min(deadline, *settled);
  // Rounded up, so that a deadline less than a millisecond away is slept for rather than spun for.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_now());
  constexpr std::int64_t k_longest = 60'000;
  const auto timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, k_longest));
  std::array<pollfd, 2> events{{{m_watch->descriptor(), POLLIN, 0}, {m_wake.get(), POLLIN, 0}}};
  if (::poll(events.data(), events.size(), timeout) < 0 && errno != EINTR) return errno_error(errno, m_name);
  return {};
}

std::vector<Delivery> DirectorySource::deliver() {
  const auto count = std::min(m_ready.size(), k_max_directory_events);
  const auto end = m_ready.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Event> events(std::make_move_iterator(m_ready.begin()), std::make_move_iterator(end));
  m_ready.erase(m_ready.begin(), end);
  std::vector<Delivery> deliveries;
  deliveries.push_back({Receipt{m_name, std::to_string(++m_delivered), {}}, std::move(events), {}});
  return deliveries;
}

Result<std::vector<Receipt>> DirectorySource::acknowledge(std::span<const Receipt>) {
  return std::vector<Receipt>{};
}

Result<void> DirectorySource::extend(std::span<const Receipt>, Duration) {
  return {};
}

}  // namespace repoupdate
