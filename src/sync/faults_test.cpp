// SPDX-License-Identifier: Apache-2.0
// Every call of an update fails once, in every way in which it can. Whenever something changed in the store a client
// reads the repository: it has to find the old one or the new one, whole. What update() reports as done has to be
// visible (I4), and after the same change has come again all of it is.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <set>
#include <tuple>

#include "sync/sample_world.hpp"

namespace repoupdate {
namespace {

struct Scenario {
  std::string name;
  bool is_warm = false;
  Condition conditions = Condition::honoured;
  std::function<void(SampleWorld&)> before;  // what is listed when it begins
  std::function<void(SampleWorld&)> change;  // what happens in the store, and to the policy
  UpdateRequest request;
  bool is_signed = false;
  bool is_init = false;  // create_repository() in place of an update
  bool is_long = false;  // too many calls for pairs
};

std::ostream& operator<<(std::ostream& out, const Scenario& scenario) {
  return out << scenario.name;
}

UpdateRequest keys(std::initializer_list<std::string> hrefs) {
  UpdateRequest request;
  for (const auto& href : hrefs) request.changes.keys[href];
  return request;
}

void place_three(SampleWorld& world) {
  world.place("a.rpm");
  world.place("b.rpm");
  world.place("sub/c.rpm");
}

std::vector<Scenario> scenarios_of_a_store(Condition conditions, bool is_signed, const std::string& suffix) {
  std::vector<Scenario> all;
  const auto add = [&](const std::string& name, std::function<void(SampleWorld&)> change,
                       UpdateRequest request) -> Scenario& {
    return all.emplace_back(Scenario{name + suffix, false, conditions, place_three, std::move(change),
                                     std::move(request), is_signed, false, conditions != Condition::honoured});
  };
  const auto add_d = [](SampleWorld& world) { world.place("d.rpm"); };
  add("add", add_d, keys({"d.rpm"}));
  add("add_warm", add_d, keys({"d.rpm"})).is_warm = true;
  add(
      "replace", [](SampleWorld& world) { world.place("b.rpm", "2"); }, keys({"b.rpm"}));
  add(
      "replace_warm", [](SampleWorld& world) { world.place("b.rpm", "2"); }, keys({"b.rpm"}))
      .is_warm = true;
  add(
      "remove", [](SampleWorld& world) { world.drop("b.rpm"); }, keys({"b.rpm"}));
  add(
      "remove_warm", [](SampleWorld& world) { world.drop("b.rpm"); }, keys({"b.rpm"}))
      .is_warm = true;
  const auto several = [](SampleWorld& world) {
    world.drop("a.rpm");
    world.place("b.rpm", "2");
    for (const auto* href : {"d.rpm", "e.rpm", "f.rpm", "g.rpm", "sub/h.rpm", "sub/i.rpm"}) world.place(href);
    world.place("unhashed.rpm", "1", false, 300'000);
  };
  add("several", several,
      keys({"a.rpm", "b.rpm", "d.rpm", "e.rpm", "f.rpm", "g.rpm", "sub/h.rpm", "sub/i.rpm", "unhashed.rpm"}))
      .is_long = true;
  UpdateRequest reconcile;
  reconcile.reconcile = true;
  const auto some = [](SampleWorld& world) {
    world.drop("a.rpm");
    world.place("b.rpm", "2", true, 99);
    world.place("unhashed.rpm", "1", false, 300'000);
  };
  add("reconcile", some, reconcile).is_long = true;
  UpdateRequest rebuild;
  rebuild.rebuild = true;
  add("rebuild", some, rebuild).is_long = true;
  Scenario& first = add(
      "first", [](SampleWorld& world) { world.repository.policy.create = true; }, keys({"a.rpm", "b.rpm"}));
  first.before = [](SampleWorld&) {};
  first.change = [](SampleWorld& world) {
    world.place("a.rpm");
    world.place("b.rpm");
    world.repository.policy.create = true;
  };
  Scenario& init = add("init", [](SampleWorld&) {}, {});
  init.before = [](SampleWorld&) {};
  init.is_init = true;
  return all;
}

std::vector<Scenario> all_scenarios() {
  auto all = scenarios_of_a_store(Condition::honoured, false, "");
  for (auto& scenario : scenarios_of_a_store(Condition::honoured, true, "_signed")) all.push_back(std::move(scenario));
  for (auto& scenario : scenarios_of_a_store(Condition::refused, false, "_lease")) all.push_back(std::move(scenario));
  for (const auto& [conditions, is_signed, suffix] :
       {std::tuple{Condition::refused, true, "_lease_signed"}, std::tuple{Condition::ignored, false, "_lease_ignored"},
        std::tuple{Condition::never_met, false, "_lease_never_met"}})
    for (auto& scenario : scenarios_of_a_store(conditions, is_signed, suffix))
      if (scenario.name.starts_with("replace_")) all.push_back(std::move(scenario));
  return all;
}

using Faults = std::map<std::string, Fault>;  // by call

std::string to_string(const Faults& faults) {
  std::string text;
  for (const auto& [call, fault] : faults)
    text += (text.empty() ? "" : ", ") + call + ": " + std::string(to_string(fault));
  return text.empty() ? "no fault" : text;
}

// Who is told 404 of a package twice can only believe it.
bool is_lie_about_package(const Faults::value_type& broken) {
  return broken.second == Fault::not_found && broken.first.find(".rpm") != std::string::npos;
}

class FaultsTest : public testing::TestWithParam<Scenario> {
protected:
  FaultsTest() {
    SampleWorld world;  // conditions come later: what is there now came in another way
    if (scenario().is_signed) world.sign();
    scenario().before(world);
    if (scenario().is_warm) world.stay_warm();
    if (!world.wanted().empty()) {
      UpdateRequest everything;
      everything.reconcile = true;
      world.repository.policy.create = true;
      EXPECT_TRUE(update(world.repository, everything, world.clock, {}).ok());
      old = world.look();
      EXPECT_EQ(old, world.wanted());
    }
    snapshot = world.snapshot();
  }

  const Scenario& scenario() const { return GetParam(); }

  static Result<UpdateReport> apply(SampleWorld& world, const Scenario& scenario) {
    if (!scenario.is_init) return update(world.repository, scenario.request, world.clock, {});
    auto made = create_repository(world.repository, world.clock);
    if (!made && made.error().message.find("already") != std::string::npos)
      return update(world.repository, {}, world.clock, {});  // as happens next; it puts a signature that is missing
    return made;
  }

  // Returns the names of all calls that were made while faults could happen.
  std::vector<std::string> run(const Faults& faults) {
    ++cases;
    SampleWorld world(scenario().conditions);
    if (scenario().is_signed) world.sign();
    world.restore(snapshot);
    scenario().change(world);
    const std::size_t publications = world.client.publications();
    const auto wanted = world.wanted();
    bool is_lied_to = false;
    is_lied_to = std::ranges::count_if(faults, is_lie_about_package) > 1;
    std::set<std::string> wrong;
    world.on_look = [&](const std::optional<SeenPackages>& seen) {
      if (seen == old || seen == wanted || is_lied_to) return;
      if (!seen || !is_mixed(*seen, wanted)) wrong.insert("neither the old repository nor the new one");
    };
    Faults due = faults;
    world.faulty.on_call = [&](const std::string& call) {
      const auto found = due.extract(call);
      return found ? found.mapped() : Fault::none;
    };
    Result<UpdateReport> last = UpdateReport{};
    const auto try_once = [&](const char* what) {
      last = apply(world, scenario());
      const bool is_acknowledged = last && last->failures.empty() && !world.faulty.is_dead();
      if (is_acknowledged && !is_lied_to && world.look() != wanted)
        wrong.insert(std::string(what) + " says that all is done, and it is not");
      if (is_acknowledged && !world.pair_agrees()) wrong.insert(std::string(what) + " leaves another's signature");
      if (world.faulty.is_dead()) world.restart();
    };
    try_once("the update");
    if (faults.size() > 1) try_once("the second update");
    const auto calls = world.faulty.calls();
    world.faulty.on_call = nullptr;
    try_once("the last update");
    if (!last) wrong.insert("the last update: " + last.error().text());
    if (last && !last->failures.empty()) wrong.insert("the last update: " + last->failures[0].error.text());
    if (world.look() != wanted) wrong.insert("the change is not visible in the end");
    for (const auto& problem : world.client.problems()) wrong.insert(problem);
    // A lost answer is no reason to publish again.
    if (scenario().request.changes.keys.size() == 1 && !is_lied_to && world.client.publications() > publications + 1)
      wrong.insert("published more than once");
    for (const auto& what : wrong)
      if (++failures <= k_shown) ADD_FAILURE() << scenario() << "; " << to_string(faults) << ": " << what;
    return calls;
  }

  void print(const char* what) const {
    std::cout << "[  faults  ] " << scenario() << ", " << what << ": " << cases << " cases, " << failures << " wrong\n";
  }

  std::optional<SeenPackages> old;
  SampleWorld::Snapshot snapshot;
  int cases = 0, failures = 0;

private:
  static constexpr int k_shown = 10;

  // Packages that could not be read cost their neighbours nothing: each is as it was or as it is.
  bool is_mixed(const SeenPackages& seen, const SeenPackages& wanted) const {
    const SeenPackages before = old.value_or(SeenPackages{});
    const auto get = [](const SeenPackages& packages, const std::string& href) {
      const auto found = packages.find(href);
      return found == packages.end() ? std::string() : found->second;
    };
    std::set<std::string> hrefs;
    for (const auto* packages : {&seen, &wanted, &before})
      for (const auto& [href, pkgid] : *packages) hrefs.insert(href);
    return std::ranges::all_of(hrefs, [&](const auto& href) {
      return get(seen, href) == get(before, href) || get(seen, href) == get(wanted, href);
    });
  }
};

TEST_P(FaultsTest, EveryCallFailsOnceInEachWay) {
  std::vector<Fault> ways(k_faults.begin(), k_faults.end());
  ways.insert(ways.end(), {Fault::killed, Fault::killed_after});
  for (const auto& call : run({}))
    for (const Fault fault : ways)
      if (is_possible(fault, call)) run({{call, fault}});
  EXPECT_EQ(failures, 0);
  print("one fault");
}

// All of them with REPOUPDATE_FAULTS=all in the environment.
TEST_P(FaultsTest, TwoCallsFail) {
  const bool all = std::getenv("REPOUPDATE_FAULTS") != nullptr;
  if (scenario().is_long && !all) return;
  std::vector<Fault> ways{Fault::reset_before,   Fault::reset_after, Fault::not_found,   Fault::precondition_failed,
                          Fault::conflict_after, Fault::wrong_bytes, Fault::killed_after};
  if (all) ways.assign(k_faults.begin(), k_faults.end());
  for (const auto& first : run({}))
    for (const Fault fault : ways) {
      if (!is_possible(fault, first)) continue;
      const auto calls = run({{first, fault}});
      auto second = std::ranges::find(calls, first);
      if (second == calls.end()) second = calls.begin();  // of the process before
      for (; second != calls.end(); ++second)
        for (const Fault another : ways)
          if (*second != first && is_possible(another, *second)) run({{first, fault}, {*second, another}});
    }
  EXPECT_EQ(failures, 0);
  print("two faults");
}

INSTANTIATE_TEST_SUITE_P(Scenarios, FaultsTest, testing::ValuesIn(all_scenarios()),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace repoupdate
