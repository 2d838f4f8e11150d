// SPDX-License-Identifier: Apache-2.0
// What the daemon counts of its repositories and sources. docs/operations.md says what each number means.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "model/change_set.hpp"
#include "model/signer.hpp"
#include "sync/update.hpp"

namespace repoupdate {

// Of one source. A message that was received ends as one of the others, or is open still.
struct SourceMetrics {
  SourceMetrics(MetricTable& table, const std::string& source);

  Counter& received;
  Counter& acknowledged;
  Counter& postponed;  // left for later, because too many were open or the store could not be asked
  Counter& failed;     // of no use: they come again, or go to the dead-letter queue
  Counter& parked;     // given up: acknowledged, and told in the log
  Counter& unrouted;   // events, of those messages, that belong to no repository
  Gauge& open;
  Gauge& oldest_age;  // seconds: of the oldest open one
  Gauge& up;
};

// Of one repository. All series are there from the beginning, so that a rate sees the first event.
class RepositoryMetrics {
public:
  RepositoryMetrics(MetricTable& table, const std::string& repository);

  // Its update ended; `changes` are those that it was to make visible.
  void updated(const UpdateReport& report, const ChangeSet& changes, ExactTime now);
  void failed(ExactTime now);
  void up(bool is_up) { m_up.set(is_up ? 1 : 0); }
  void signed_by(const Signer* signer);  // null: nobody

private:
  void note_visible(const UpdateReport& report, const ChangeSet& changes, ExactTime now);

  MetricTable& m_table;
  Counter &m_published, &m_unchanged, &m_failed;
  Counter &m_added, &m_replaced, &m_removed;
  Counter &m_skipped, &m_lost_races;
  Gauge &m_packages, &m_quarantined, &m_up, &m_key_expires;
  Gauge &m_last_publication, &m_last_success, &m_last_failure;
  Histogram& m_visible;
};

// No repository and no source is up, whatever is known of them otherwise.
void note_nothing_served(MetricTable& table);

// Whether /readyz says so.
void note_ready(MetricTable& table, bool is_ready);

// Sets what a scrape wants to know of the process: memory, descriptors, threads, processor time. What /proc does not
// tell stays out.
void sample_process(MetricTable& table);

// The version, and since when the process runs.
void describe_process(MetricTable& table, const Clock& clock);

}  // namespace repoupdate
