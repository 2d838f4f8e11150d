// SPDX-License-Identifier: Apache-2.0
#include "sync/look.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/parallel.hpp"
#include "sync/spill.hpp"

namespace repoupdate {
namespace {

const Finding* find(const Findings& findings, const std::string& href) {
  const auto found = findings.find(href);
  return found == findings.end() ? nullptr : &found->second;
}

bool is_gone(const Finding& finding) {
  return std::holds_alternative<Gone>(finding.what);
}

// Keys that are looked at only after the first spelling of them is known.
std::vector<std::string> raw_spellings(const Repository& repository, const ListedEntries& listed,
                                       const std::vector<Finding>& findings, const ChangeSet& changes) {
  std::vector<std::string> raw;
  for (const auto& finding : findings) {
    const auto change = changes.keys.find(finding.href);
    if (change == changes.keys.end() || !repository.owns(change->second.raw_href)) continue;
    const std::string& spelling = change->second.raw_href;
    if (is_gone(finding) || listed.find(spelling)) raw.push_back(spelling);
  }
  return raw;
}

// Which of those that are not there nothing else has said to be gone. A directory's word is enough.
std::vector<std::string> doubtful(const Repository& repository, const std::vector<Finding>& findings,
                                  const ChangeSet& changes, const std::set<std::string>& gone_by_listing) {
  std::vector<std::string> hrefs;
  if (repository.store->is_local()) return hrefs;
  for (const auto& finding : findings) {
    const auto change = changes.keys.find(finding.href);
    const bool said_gone = change != changes.keys.end() && change->second.said_gone;
    if (is_gone(finding) && !said_gone && !gone_by_listing.contains(finding.href)) hrefs.push_back(finding.href);
  }
  return hrefs;
}

// A directory answers at once: more than one thread for each core would only be in the way.
std::size_t threads_for(const Repository& repository) {
  return repository.store->is_local() ? repository.policy.threads : repository.policy.requests;
}

// Packages that have been fetched and wait for each other, to be read in a row: threads that turn to the store after
// each package find the caches cold each time, and take twice the time to read a small one.
class Batch {
public:
  struct Item {
    std::size_t place;
    PackageFetch::Fetched package;
  };

  explicit Batch(std::uint64_t header_bytes) : m_wanted(header_bytes) {}

  // What the caller has to read now: nothing until there is enough.
  std::vector<Item> add(Item item) {
    const std::scoped_lock lock(m_mutex);
    m_bytes += item.package.range.end;
    m_items.push_back(std::move(item));
    if (m_bytes < m_wanted) return {};
    m_bytes = 0;
    return std::exchange(m_items, {});
  }
  std::vector<Item> take_rest() { return std::exchange(m_items, {}); }

private:
  const std::uint64_t m_wanted;
  std::mutex m_mutex;
  std::uint64_t m_bytes = 0;  // of the headers of m_items
  std::vector<Item> m_items;
};

constexpr std::uint64_t k_batch = 128U << 10;  // some thirty small packages
static_assert(k_batch <= k_first_read, "a larger header, for whose memory others wait, is read at once");

enum class Sight { usual, doubted };  // see PackageFetch::Question

// One look at many keys.
class Round {
public:
  Round(const Repository& repository, std::size_t count, Sight sight)
      : m_repository(repository),
        m_sight(sight),
        m_threads(repository.policy.threads),
        m_requests(threads_for(repository)),
        m_fetch(*repository.store, repository.prefix, repository.policy.packages, repository.policy.ingest),
        m_spill(*repository.scratch),
        m_batch(repository.store->is_local() ? 0 : k_batch),
        m_findings(count) {}

  std::vector<Finding> run(const ListedEntries& listed, const std::vector<std::string>& hrefs, const Findings& earlier,
                           const std::stop_token& stop) {
    for_each_parallel(hrefs.size(), m_requests, [&](std::size_t i) {
      if (stop.stop_requested()) return;
      auto step = m_fetch.fetch({hrefs[i], listed.find(hrefs[i]), find(earlier, hrefs[i]), m_sight == Sight::doubted});
      m_repository.progress();
      if (auto* finding = std::get_if<Finding>(&step)) return keep(i, std::move(*finding));
      for (auto& item : m_batch.add({i, std::get<PackageFetch::Fetched>(std::move(step))})) read(std::move(item));
    });
    auto rest = m_batch.take_rest();
    for_each_parallel(rest.size(), m_threads, [&](std::size_t i) { read(std::move(rest[i])); });
    for_each_parallel(m_again.size(), m_requests, [&](std::size_t i) {
      auto& [place, question] = m_again[i];
      if (!stop.stop_requested()) keep(place, m_fetch.look(std::move(question)));
    });
    return std::move(m_findings);
  }

private:
  void read(Batch::Item item) {
    auto outcome = m_fetch.read(std::move(item.package));
    m_repository.progress();
    if (auto* finding = std::get_if<Finding>(&outcome)) return keep(item.place, std::move(*finding));
    const std::scoped_lock lock(m_mutex);
    m_again.emplace_back(item.place, std::get<PackageFetch::Question>(std::move(outcome)));
  }

  void keep(std::size_t place, Finding finding) {
    if (auto* record = std::get_if<PackageRecord>(&finding.what)) m_spill.take(record->fragments);
    m_findings[place] = std::move(finding);
  }

  const Repository& m_repository;
  const Sight m_sight;
  const std::size_t m_threads, m_requests;
  const PackageFetch m_fetch;
  Spill m_spill;
  Batch m_batch;
  std::vector<Finding> m_findings;  // each at its place among the hrefs
  std::mutex m_mutex;
  std::vector<std::pair<std::size_t, PackageFetch::Question>> m_again;  // arrived damaged; guarded by m_mutex
};

std::vector<Finding> look_at_each(const Repository& repository, const ListedEntries& listed,
                                  const std::vector<std::string>& hrefs, const Findings& earlier,
                                  const std::stop_token& stop, Sight sight = Sight::usual) {
  return Round(repository, hrefs.size(), sight).run(listed, hrefs, earlier, stop);
}

// The edited keys of one publication, each as it was published, and how far they are confirmed.
class Confirmation {
public:
  Confirmation(const Repository& repository, const std::vector<std::string>& hrefs, const Findings& findings)
      : m_repository(repository) {
    for (const auto& href : hrefs)  // without a finding: an explicit removal, published whatever the store has
      if (const Finding* finding = find(findings, href)) m_expected.push_back(finding);
    std::ranges::sort(m_expected, {}, [](const Finding* finding) { return std::string_view(finding->href); });
  }

  std::set<std::string> run() {
    if (m_expected.size() >= k_worth_a_listing && !m_repository.store->is_local()) compare_with_listing();
    const std::size_t rest = m_expected.size() - m_next;
    std::vector<char> changed(rest, 0);
    for_each_parallel(rest, threads_for(m_repository),
                      [&](std::size_t i) { changed[i] = !is_as_published(*m_expected[m_next + i]); });
    for (std::size_t i = 0; i < rest; ++i)
      if (changed[i]) m_changed.insert(m_expected[m_next + i]->href);
    return std::move(m_changed);
  }

private:
  static constexpr std::size_t k_worth_a_listing = 8;
  static constexpr std::size_t k_page = 1000;

  // Pages come one after the other: worth it while each stands for as many HEADs as go out at a time.
  void compare_with_listing() {
    while (m_next < m_expected.size()) {
      std::string after = m_repository.prefix + m_expected[m_next]->href;
      after.pop_back();
      const std::size_t left = m_expected.size() - m_next;
      const auto page = m_repository.store->list_after(m_repository.prefix, after, std::min(2 * left, k_page));
      if (!page || (page->objects.empty() && !page->next.empty())) return;
      if (compare(*page) < m_repository.policy.requests) return;
    }
  }

  // As far as the page reaches; how many those were.
  std::size_t compare(const ListPage& page) {
    const std::size_t begin = m_next;
    auto object = page.objects.begin();
    for (; m_next < m_expected.size(); ++m_next) {
      const Finding& expected = *m_expected[m_next];
      const std::string key = m_repository.prefix + expected.href;
      while (object != page.objects.end() && object->key < key) ++object;
      if (object == page.objects.end() && !page.next.empty()) break;
      const bool is_there = object != page.objects.end() && object->key == key;
      const bool same = is_gone(expected) ? !is_there : is_there && bare(object->etag) == bare(expected.etag);
      if (!same) m_changed.insert(expected.href);
    }
    return m_next - begin;
  }

  bool is_as_published(const Finding& expected) const {
    const auto object = m_repository.store->head(m_repository.prefix + expected.href);
    return is_gone(expected) ? object.failed_with(ErrorKind::not_found) : object.ok() && object->etag == expected.etag;
  }

  const Repository& m_repository;
  std::vector<const Finding*> m_expected;  // ascending by href
  std::size_t m_next = 0;                  // the first that is not confirmed yet
  std::set<std::string> m_changed;
};

}  // namespace

Result<std::vector<Finding>> look_at(const Repository& repository, const ListedEntries& listed,
                                     const std::set<std::string>& hrefs, const ChangeSet& changes,
                                     const std::set<std::string>& gone_by_listing, Findings& earlier, Findings fresh,
                                     std::stop_token stop) {
  std::vector<std::string> first;
  std::ranges::copy_if(hrefs, std::back_inserter(first), [&](const auto& href) { return !fresh.contains(href); });
  auto findings = look_at_each(repository, listed, first, earlier, stop);
  for (const auto& href : hrefs)
    if (const auto found = fresh.find(href); found != fresh.end()) findings.push_back(std::move(found->second));
  auto second = raw_spellings(repository, listed, findings, changes);
  std::erase_if(second, [&](const std::string& href) { return hrefs.contains(href); });
  std::ranges::move(look_at_each(repository, listed, second, earlier, stop), std::back_inserter(findings));
  const auto doubted = doubtful(repository, findings, changes, gone_by_listing);
  if (!doubted.empty()) {
    std::erase_if(findings,
                  [&](const Finding& finding) { return std::ranges::find(doubted, finding.href) != doubted.end(); });
    std::ranges::move(look_at_each(repository, listed, doubted, earlier, stop, Sight::doubted),
                      std::back_inserter(findings));
  }
  if (stop.stop_requested())
    return Error{ErrorKind::cancelled, repository.name + ": stopped while reading packages", {}};
  for (const auto& finding : findings) earlier[finding.href] = finding;
  return findings;
}

Findings look_ahead(const Repository& repository, const ListedEntries& listed, const std::set<std::string>& hrefs,
                    std::stop_token stop) {
  Findings ahead;
  for (auto& finding : look_at_each(repository, listed, {hrefs.begin(), hrefs.end()}, {}, stop))
    if (!finding.href.empty()) ahead.emplace(finding.href, std::move(finding));
  return ahead;
}

Findings still_good(Findings ahead, const ListedEntries& listed) {
  // It was unchanged beside an index that has been replaced since.
  std::erase_if(ahead, [](const auto& found) { return std::holds_alternative<Unchanged>(found.second.what); });
  for (auto& [href, finding] : ahead) {
    const IndexEntry* entry = listed.find(href);
    const auto* record = std::get_if<PackageRecord>(&finding.what);
    if (entry && record && record->pkgid.hex == entry->pkgid) finding.what = Unchanged{};
  }
  std::erase_if(ahead, [&](const auto& found) {
    return !std::holds_alternative<Unchanged>(found.second.what) && listed.find(found.first) != nullptr;
  });
  return ahead;
}

std::set<std::string> changed_since(const Repository& repository, const std::vector<std::string>& hrefs,
                                    const Findings& findings) {
  return Confirmation(repository, hrefs, findings).run();
}

}  // namespace repoupdate
