// SPDX-License-Identifier: Apache-2.0
// The stages of an update, and how long each took.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace repoupdate {

enum class Stage { load, look, prove, plan, splice, sign, publish, confirm };
inline constexpr std::array<std::string_view, 8> k_stage_names{"load",   "look", "prove",   "plan",
                                                               "splice", "sign", "publish", "confirm"};

inline std::string_view to_string(Stage stage) {
  return k_stage_names[static_cast<std::size_t>(stage)];
}

using StageTimes =
    std::array<std::optional<std::chrono::duration<double>>, k_stage_names.size()>;  // nothing: not come to

// Not thread-safe.
class StageWatch {
public:
  // `on_stage` is called when one begins, on the update's thread; it may be empty. Both must outlive the watch.
  StageWatch(const Clock& clock, const std::function<void(Stage)>& on_stage) : m_clock(clock), m_on_stage(on_stage) {}

  // Ends the stage before. A stage that comes again, after a lost race, adds up.
  void enter(Stage stage) {
    end();
    m_begun = m_clock.steady();
    m_current = stage;
    if (m_on_stage) m_on_stage(stage);
  }
  void end() {
    if (!m_current) return;
    auto& time = m_times[static_cast<std::size_t>(*m_current)];
    time = time.value_or(std::chrono::duration<double>(0)) + (m_clock.steady() - m_begun);
    m_current.reset();
  }
  const StageTimes& times() const { return m_times; }

private:
  const Clock& m_clock;
  const std::function<void(Stage)>& m_on_stage;
  StageTimes m_times{};
  std::optional<Stage> m_current;
  SteadyTime m_begun{};
};

}  // namespace repoupdate
