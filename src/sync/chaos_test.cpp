// SPDX-License-Identifier: Apache-2.0
// Random changes, random faults, random deaths of the process and another writer in between. Whatever happens, a client
// that looks after everything that changes in the store finds a whole repository, what an update reports as done is
// visible, and once nothing fails any more so is everything.
//
// REPOUPDATE_CHAOS=N rounds in place of 300; REPOUPDATE_CHAOS_SEED=S begins with round S, to see one again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include "sync/sample_world.hpp"

namespace repoupdate {
namespace {

constexpr int k_rounds = 300;
constexpr int k_hrefs = 9;

int from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

struct Counts {
  int updates = 0, faults = 0, deaths = 0, refused = 0, publications = 0;
};

class Round {
public:
  Round(int seed, Counts& counts)
      : m_random(static_cast<std::mt19937::result_type>(seed)),
        m_conditions(chance(0.2) ? Condition::refused : Condition::honoured),
        m_world(m_conditions),
        m_counts(counts) {
    m_world.repository.policy.create = true;
    m_world.repository.policy.requests = 1 + pick(4);
    m_world.faulty.where = std::uniform_real_distribution(0.0, 1.0)(m_random);
    m_fault_rate = chance(0.3) ? 0.3 : 0.05;
    if (chance(0.5)) m_world.stay_warm();
    if (chance(0.5)) m_world.sign();
    m_world.faulty.on_call = [this](const std::string& call) { return decide(call); };
  }

  // What went wrong, nothing when all was well.
  std::set<std::string> run() {
    const std::size_t steps = 3 + pick(8);
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t changes = 1 + pick(3); changes > 0; --changes) change_something();
      update_once();
    }
    m_calm = true;
    for (int attempt = 0; attempt < 3 && !m_pending.empty(); ++attempt) update_once();
    if (!m_pending.empty()) m_wrong.insert("it does not end well without faults: " + m_last_error);
    if (m_world.look().value_or(SeenPackages{}) != m_world.wanted())
      m_wrong.insert("a change is not visible in the end");
    for (const auto& problem : m_world.client.problems()) m_wrong.insert(problem);
    m_counts.publications += static_cast<int>(m_world.client.publications());
    return m_wrong;
  }

private:
  std::size_t pick(std::size_t choices) { return std::uniform_int_distribution<std::size_t>(0, choices - 1)(m_random); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(m_random); }

  // An event of it is in the queue from then on.
  void change_something() {
    const std::string href = (chance(0.2) ? "sub/p" : "p") + std::to_string(pick(k_hrefs)) + ".rpm";
    if (chance(0.35))
      m_world.drop(href);
    else
      m_world.place(href, std::to_string(1 + pick(5)), chance(0.8), chance(0.1) ? 200'000 : 64 + pick(30));
    m_pending.insert(href);
  }

  // Called by any thread, one at a time.
  Fault decide(const std::string& call) {
    if (m_calm) return Fault::none;
    if (chance(0.03)) change_something();
    const bool is_pointer = call.starts_with("PUT r/repodata/repomd.xml");
    if (is_pointer && m_conditions == Condition::honoured && chance(0.1)) publish_as_another();
    if (!chance(m_fault_rate)) return Fault::none;
    Fault fault = k_faults[pick(k_faults.size())];
    if (chance(0.1)) fault = chance(0.5) ? Fault::killed : Fault::killed_after;
    if (!is_possible(fault, call)) fault = Fault::reset_before;
    const bool is_package = call.find(".rpm") != std::string::npos;
    // Who is told 404 of a package twice can only believe it.
    if (is_package && fault == Fault::not_found && !m_lies.insert(call.substr(0, call.find(".rpm"))).second)
      fault = Fault::denied;
    if (fault == Fault::not_found && m_has_lied && is_package) fault = Fault::denied;
    m_has_lied = m_has_lied || (is_package && fault == Fault::not_found);
    ++m_counts.faults;
    m_counts.deaths += fault == Fault::killed || fault == Fault::killed_after;
    return fault;
  }

  void publish_as_another() {
    Repository other = m_world.repository;
    other.store = &m_world.store;
    other.memory = nullptr;
    UpdateRequest request;
    for (const auto& href : m_pending)
      if (chance(0.5)) request.changes.keys[href];
    if (!update(other, request, m_world.clock, {})) m_wrong.insert("another writer failed");
    m_world.look();
  }

  void update_once() {
    ++m_counts.updates;
    UpdateRequest request;
    request.reconcile = chance(0.05);
    for (const auto& href : m_pending)
      if (m_calm || chance(0.8)) request.changes.keys[href];
    for (const auto& [href, key] : request.changes.keys) m_pending.erase(href);  // in flight: what comes now is new
    m_lies.clear();
    m_has_lied = false;
    const auto outcome = update(m_world.repository, request, m_world.clock, {});
    const bool is_dead = m_world.faulty.is_dead();
    if (is_dead || !outcome) {
      ++m_counts.refused;
      if (!outcome) m_last_error = outcome.error().text();
      for (const auto& [href, key] : request.changes.keys) m_pending.insert(href);
    } else {
      for (const auto& failure : outcome->failures) m_pending.insert(failure.href);
      check_acknowledged();
      if (m_world.look() && !m_world.pair_agrees()) m_wrong.insert("done, and with another's signature");
    }
    if (is_dead) m_world.restart();
  }

  // Of whatever no event is to come any more.
  void check_acknowledged() {
    const auto seen = m_world.look().value_or(SeenPackages{});
    const auto wanted = m_world.wanted();
    std::set<std::string> hrefs;
    for (const auto* packages : {&seen, &wanted})
      for (const auto& [href, pkgid] : *packages) hrefs.insert(href);
    for (const auto& href : hrefs) {
      const auto is = seen.find(href), should = wanted.find(href);
      const bool same =
          (is == seen.end()) == (should == wanted.end()) && (is == seen.end() || is->second == should->second);
      if (!same && !m_pending.contains(href)) m_wrong.insert(href + " was acknowledged, and is not as it should be");
    }
  }

  std::mt19937 m_random;
  const Condition m_conditions;
  SampleWorld m_world;
  Counts& m_counts;
  double m_fault_rate = 0;
  bool m_calm = false, m_has_lied = false;
  std::set<std::string> m_pending, m_lies, m_wrong;
  std::string m_last_error;
};

TEST(Chaos, NothingIsLostAndNothingIsBroken) {
  const int first = from_environment("REPOUPDATE_CHAOS_SEED", 1);
  const int rounds = from_environment("REPOUPDATE_CHAOS", k_rounds);
  Counts counts;
  int failed = 0;
  for (int seed = first; seed < first + rounds && failed < 10; ++seed) {
    const auto wrong = Round(seed, counts).run();
    failed += !wrong.empty();
    for (const auto& what : wrong) ADD_FAILURE() << "round " << seed << ": " << what;
  }
  std::cout << "[  chaos   ] " << rounds << " rounds: " << counts.updates << " updates, " << counts.faults
            << " faults, " << counts.deaths << " deaths, " << counts.refused << " updates that came to nothing, "
            << counts.publications << " publications seen, " << failed << " rounds wrong\n";
}

}  // namespace
}  // namespace repoupdate
