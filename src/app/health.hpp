// SPDX-License-Identifier: Apache-2.0
// Whether the daemon lives and whether it can do its work, as told at /healthz and /readyz and to systemd.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace repoupdate {

inline constexpr Duration k_answer_expected{std::chrono::seconds(15)};  // of a source or repository that is asked
inline constexpr Duration k_asked_lately{std::chrono::seconds(60)};     // somebody wants to know whether we are ready
inline constexpr std::size_t k_max_reasons = 100;                       // in one answer

// Thread-safe. It outlives the daemon, which begins anew when the settings are read again.
class Health {
public:
  // Of a repository what its updates say, of a store whether that repository's repomd.xml can be looked at.
  enum class Kind { repository, store, source };
  struct Reason {
    std::string what;  // "repository", "store", "source", "thread", "daemon"
    std::string name;
    std::string text;
  };

  explicit Health(const Clock& clock) : m_clock(clock) {}

  // Nothing is known of threads, repositories and sources any more; `why` stands until started().
  void begin(std::string why, Duration stuck_after);
  void started();
  void stopping();

  // ---- Threads. One that is at work has to get further, or it counts as stuck; one that rests waits for work.
  std::size_t add_thread(std::string name);
  // Begins, or got further; it may wait for `patience` there, as a long poll does.
  void works(std::size_t thread, std::string at, Duration patience = Duration(0));
  void gets_further(std::size_t thread);  // where it is
  void rests(std::size_t thread);

  // ---- What the daemon depends on. Neither well nor failing until something is known.
  void expect(Kind kind, const std::string& name);
  void asked(Kind kind, const std::string& name);  // an answer is due in k_answer_expected, or after `patience` more
  void asked(Kind kind, const std::string& name, Duration patience);
  void well(Kind kind, const std::string& name);
  void fails(Kind kind, const std::string& name, std::string why);
  bool is_well(Kind kind, const std::string& name) const;
  bool is_failing(Kind kind, const std::string& name) const;  // or gives no answer; not while nothing is known
  // It is worth asking, and for `every` nobody has: somebody wants to know, or it is failing, which else would be told
  // for ever.
  bool is_due(Kind kind, const std::string& name, Duration every) const;

  // No thread is stuck. Why not, otherwise.
  std::vector<Reason> why_not_alive() const;
  // Started, and everything is well. Why not, otherwise; the first k_max_reasons.
  std::vector<Reason> why_not_ready() const;

  // why_not_ready() was asked for by somebody outside, so that it is worth finding out.
  void note_asker();

private:
  struct Thread {
    std::string name, at;
    std::optional<SteadyTime> since;  // nothing: it rests
    Duration patience{};
  };
  struct Subject {
    enum class State { unknown, well, failing } state = State::unknown;
    std::string why;
    SteadyTime known{};
    std::optional<SteadyTime> asked;  // no answer yet
    Duration patience{};
  };
  std::optional<std::string> failure(const Subject& subject, SteadyTime now) const;
  std::optional<std::string> trouble(const Subject& subject, SteadyTime now) const;  // failure, or nothing is known

  const Clock& m_clock;
  mutable std::mutex m_mutex;  // guards all below
  std::string m_why_not_started = "starting";
  Duration m_stuck_after{std::chrono::minutes(30)};
  std::vector<Thread> m_threads;
  std::map<std::pair<Kind, std::string>, Subject> m_subjects;
  std::optional<SteadyTime> m_asker;
};

// {"status":"ready"}, or {"status":"not ready","reasons":[{"repository":"s3://b/p","reason":"..."}]}.
std::string health_json(std::string_view yes, std::string_view no, const std::vector<Health::Reason>& reasons);

}  // namespace repoupdate
