// SPDX-License-Identifier: Apache-2.0
// The daemon's sources: takes messages in as fast as they can be worked on, keeps them hidden from others while that
// goes on, and gets rid of each as it ended.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "app/daemon_metrics.hpp"
#include "app/health.hpp"
#include "app/repository_board.hpp"
#include "app/session.hpp"
#include "model/change_set.hpp"
#include "model/event_source.hpp"
#include "sync/ledger.hpp"
#include "sync/poison.hpp"
#include "sync/receiver_count.hpp"
#include "sync/work_list.hpp"

namespace repoupdate {

// Thread-safe once started. References must outlive it.
class Inbox {
public:
  Inbox(Session& session, RepositoryBoard& board, WorkList& work, Health& health)
      : m_session(session), m_board(board), m_work(work), m_health(health) {}

  // Before start(). ErrorKind::invalid when there is one of that name already.
  Result<void> add(std::unique_ptr<EventSource> source);
  std::size_t size() const { return m_sources.size(); }
  std::set<std::string> names() const;

  // Receives until a stop is requested, and puts what was named into the work list.
  void start(std::vector<std::jthread>& threads, std::stop_token stop);

  // See Ledger::settle. What ends up in `settled` goes to conclude(), after the work list knows the job's end.
  void settle(std::span<const Receipt> receipts, const Ledger::Target& target, Ledger::Outcome outcome,
              Ledger::Settled& settled) {
    m_ledger.settle(receipts, target, outcome, settled);
  }
  // Acknowledges what is done, hides what is to come again, parks poison.
  void conclude(Ledger::Settled settled);

  // A source, by name, has as many messages open as it may: nothing more of it comes in, for any repository.
  bool is_crowded(const std::string& source) const;

  // What waits for a repository that fails must not keep others' messages out: those of crowded sources need not wait
  // for its `keys` any more, and come again later. A key for which nobody else waits is dropped. Returns whether
  // anything was let go; if so, a comparison with the listing has to stand in for it.
  bool make_room(const std::string& repository, std::map<std::string, ChangeSet::Key>& keys, Ledger::Settled& settled);

  // Tells the metrics how many messages are open and since when, and whether the sources answer.
  void sample();

  // After the threads have ended: what is left over need not wait for its visibility timeout before another daemon
  // may have it.
  void release();

private:
  struct Source {
    std::unique_ptr<EventSource> door;
    SourceMetrics metrics;
    ReceiverCount receivers{1};
    std::optional<SteadyTime> told_of_unrouted{};  // guarded by m_mutex as well
    bool comes_back() const { return door->visibility() > Duration(0); }
  };

  void receive(Source& source, std::size_t number, std::stop_token stop);
  bool await_turn(Source& source, std::size_t number, std::stop_token stop);
  bool is_full(const Source& source) const;
  void accept(Source& source, const std::vector<Delivery>& deliveries);
  void accept(Source& source, const Delivery& delivery, Ledger::Settled& settled);
  std::vector<Route> route(Source& source, const Delivery& delivery, Ledger::Outcome& outcome);
  void note_unrouted(Source& source, const Event& event);
  Ledger::Outcome judge_problem(Source& source, const Delivery& delivery);
  void note_failure(const std::string& source, const Error& error) const;
  void note_received(Source& source, const Result<std::vector<Delivery>>& deliveries);
  void keep_hidden(Source& source, std::stop_token stop);
  void want_to_look_everywhere();
  void look_everywhere();
  PoisonPolicy poison_policy(const std::string& source) const;
  void acknowledge(const std::vector<Receipt>& receipts);
  void hide(const std::vector<Receipt>& receipts, Duration duration);

  Session& m_session;
  RepositoryBoard& m_board;
  WorkList& m_work;
  Health& m_health;
  Ledger m_ledger;
  std::map<std::string, Source> m_sources;  // by name; the receiver counts are guarded by m_mutex
  std::size_t m_most_open = 0;              // messages of one source
  std::mutex m_mutex;
  std::condition_variable_any m_changed;  // room for messages, or the wish for more receivers
  bool m_look_everywhere = false;         // guarded by m_mutex, with when that was done last
  SteadyTime m_looked_everywhere{};
};

}  // namespace repoupdate
