// SPDX-License-Identifier: Apache-2.0
#include "app/health.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_text.hpp"

namespace repoupdate {
namespace {

constexpr std::array<std::string_view, 3> k_kind_names{"repository", "store", "source"};

std::string seconds_text(Duration duration) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(duration).count()) + " s";
}

Duration since(SteadyTime then, SteadyTime now) {
  return std::chrono::floor<Duration>(now - then);
}

}  // namespace

void Health::begin(std::string why, Duration stuck_after) {
  const std::scoped_lock lock(m_mutex);
  m_why_not_started = std::move(why);
  m_stuck_after = stuck_after;
  m_threads.clear();
  m_subjects.clear();
}

void Health::started() {
  const std::scoped_lock lock(m_mutex);
  m_why_not_started.clear();
}

void Health::stopping() {
  const std::scoped_lock lock(m_mutex);
  m_why_not_started = "stopping";
}

std::size_t Health::add_thread(std::string name) {
  const std::scoped_lock lock(m_mutex);
  m_threads.push_back({std::move(name), {}, {}, {}});
  return m_threads.size() - 1;
}

void Health::works(std::size_t thread, std::string at, Duration patience) {
  const std::scoped_lock lock(m_mutex);
  m_threads[thread].at = std::move(at);
  m_threads[thread].since = m_clock.steady();
  m_threads[thread].patience = patience;
}

void Health::gets_further(std::size_t thread) {
  const std::scoped_lock lock(m_mutex);
  m_threads[thread].since = m_clock.steady();
}

void Health::rests(std::size_t thread) {
  const std::scoped_lock lock(m_mutex);
  m_threads[thread].since.reset();
}

void Health::expect(Kind kind, const std::string& name) {
  const std::scoped_lock lock(m_mutex);
  m_subjects[{kind, name}];
}

void Health::asked(Kind kind, const std::string& name) {
  asked(kind, name, Duration(0));
}

void Health::asked(Kind kind, const std::string& name, Duration patience) {
  const std::scoped_lock lock(m_mutex);
  Subject& subject = m_subjects[{kind, name}];
  if (!subject.asked) subject.asked = m_clock.steady();
  subject.patience = patience;
}

void Health::well(Kind kind, const std::string& name) {
  const std::scoped_lock lock(m_mutex);
  m_subjects[{kind, name}] = {Subject::State::well, {}, m_clock.steady(), {}, {}};
}

void Health::fails(Kind kind, const std::string& name, std::string why) {
  const std::scoped_lock lock(m_mutex);
  m_subjects[{kind, name}] = {Subject::State::failing, std::move(why), m_clock.steady(), {}, {}};
}

std::optional<std::string> Health::failure(const Subject& subject, SteadyTime now) const {
  if (subject.state == Subject::State::failing) return subject.why;
  if (subject.asked && since(*subject.asked, now) > k_answer_expected + subject.patience)
    return "no answer for " + seconds_text(since(*subject.asked, now));
  return std::nullopt;
}

std::optional<std::string> Health::trouble(const Subject& subject, SteadyTime now) const {
  if (auto why = failure(subject, now)) return why;
  if (subject.state == Subject::State::unknown) return "not looked at yet";
  return std::nullopt;
}

bool Health::is_well(Kind kind, const std::string& name) const {
  const std::scoped_lock lock(m_mutex);
  const auto found = m_subjects.find({kind, name});
  return found != m_subjects.end() && !trouble(found->second, m_clock.steady());
}

bool Health::is_failing(Kind kind, const std::string& name) const {
  const std::scoped_lock lock(m_mutex);
  const auto found = m_subjects.find({kind, name});
  return found != m_subjects.end() && failure(found->second, m_clock.steady()).has_value();
}

bool Health::is_due(Kind kind, const std::string& name, Duration every) const {
  const std::scoped_lock lock(m_mutex);
  const SteadyTime now = m_clock.steady();
  const bool is_asked_for = m_asker && since(*m_asker, now) < k_asked_lately;
  const auto found = m_subjects.find({kind, name});
  if (found == m_subjects.end()) return is_asked_for;
  const Subject& subject = found->second;
  if (subject.state != Subject::State::unknown && since(subject.known, now) < every) return false;
  return is_asked_for || failure(subject, now);
}

std::vector<Health::Reason> Health::why_not_alive() const {
  const std::scoped_lock lock(m_mutex);
  std::vector<Reason> reasons;
  const SteadyTime now = m_clock.steady();
  for (const auto& thread : m_threads)
    if (thread.since && since(*thread.since, now) > m_stuck_after + thread.patience && reasons.size() < k_max_reasons)
      reasons.push_back(
          {"thread", thread.name, "stuck for " + seconds_text(since(*thread.since, now)) + " at " + thread.at});
  return reasons;
}

std::vector<Health::Reason> Health::why_not_ready() const {
  std::vector<Reason> reasons = why_not_alive();
  const std::scoped_lock lock(m_mutex);
  if (!m_why_not_started.empty()) reasons.push_back({"daemon", "repoupdate", m_why_not_started});
  const SteadyTime now = m_clock.steady();
  for (const auto& [key, subject] : m_subjects)
    if (const auto why = trouble(subject, now); why && reasons.size() < k_max_reasons)
      reasons.push_back({std::string(k_kind_names[static_cast<std::size_t>(key.first)]), key.second, *why});
  return reasons;
}

void Health::note_asker() {
  const std::scoped_lock lock(m_mutex);
  m_asker = m_clock.steady();
}

std::string health_json(std::string_view yes, std::string_view no, const std::vector<Health::Reason>& reasons) {
  if (reasons.empty()) return "{\"status\":" + json_string(yes) + "}\n";
  std::string list;
  for (const auto& reason : reasons)
    list += (list.empty() ? "{" : ",{") + json_string(reason.what) + ':' + json_string(reason.name) +
            ",\"reason\":" + json_string(reason.text) + '}';
  return "{\"status\":" + json_string(no) + ",\"reasons\":[" + list + "]}\n";
}

}  // namespace repoupdate
