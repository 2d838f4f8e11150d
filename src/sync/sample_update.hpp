// SPDX-License-Identifier: Apache-2.0
// An empty repository in a store that records, for tests of update().
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "sync/repository_state.hpp"
#include "sync/update.hpp"
#include "sync/verify.hpp"
#include "testkit/fake_clock.hpp"
#include "testkit/memory_object_store.hpp"
#include "testkit/memory_scratch.hpp"
#include "testkit/package_builder.hpp"

namespace repoupdate {

inline constexpr SystemTime k_uploaded{std::chrono::seconds(1'790'000'000)};

inline Repository sample_repository(ObjectStore& store, Scratch& scratch) {
  return {.name = "s3://b/r",
          .store = &store,
          .scratch = &scratch,
          .memory = nullptr,
          .prefix = "r/",
          .policy = {},
          .nested = {}};
}

class UpdateTest : public testing::Test {
protected:
  UpdateTest() { EXPECT_TRUE(create_repository(repository, clock).ok()); }

  std::string place(const std::string& href, const std::string& name, const std::string& version = "1",
                    bool knows_sha256 = true) {
    const std::string bytes = build_package({name, "0", version, "1", "noarch"});
    store.place("r/" + href, bytes, k_uploaded, knows_sha256);
    return bytes;
  }
  static UpdateRequest keys(std::initializer_list<std::string> hrefs) {
    UpdateRequest request;
    for (const auto& href : hrefs) request.changes.keys[href];
    return request;
  }
  UpdateReport run(const UpdateRequest& request) {
    auto report = update(repository, request, clock, {});
    EXPECT_TRUE(report.ok()) << (report ? "" : report.error().text());
    return report ? *report : UpdateReport{};
  }
  std::vector<std::string> listed() {
    auto state = load_state(repository);
    std::vector<std::string> names;
    if (!state) return {state.error().text()};
    const auto packages = list_all(repository, *state);
    if (!packages) return {packages.error().text()};
    for (const auto& [position, entry] : *packages) names.push_back(entry.location_href + ' ' + to_string(entry.nevra));
    return names;
  }
  void expect_sound() {
    const auto outcome = verify(repository, true, {});
    ASSERT_TRUE(outcome.ok()) << outcome.error().text();
    for (const auto& problem : outcome->problems) ADD_FAILURE() << problem.key << ' ' << problem.what;
  }
  std::size_t puts() {
    std::size_t count = 0;
    for (const auto& request : store.requests()) count += request.starts_with("PUT");
    return count;
  }

  MemoryObjectStore store;
  MemoryScratch scratch;
  FakeClock clock;
  Repository repository = sample_repository(store, scratch);
};

}  // namespace repoupdate
