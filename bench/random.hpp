// SPDX-License-Identifier: Apache-2.0
// Numbers that look random and are the same on every machine (the standard distributions are not).
// Source: SplitMix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace repoupdate::bench {

// The seed of an independent stream of numbers: `of` a thing, for one `purpose`.
constexpr std::uint64_t derived_seed(std::uint64_t of, std::uint64_t purpose) {
  std::uint64_t z = of + (purpose + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

class Random {
public:
  explicit Random(std::uint64_t seed) : m_state(seed) {}

  std::uint64_t next() { return derived_seed(m_state += 0x9e3779b97f4a7c15ULL, 0); }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // 0 <= unit < 1

  std::uint64_t below(std::uint64_t limit) { return ((next() >> 32) * limit) >> 32; }  // limit < 2^32
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool chance(unsigned percent) { return below(100) < percent; }

  std::string_view pick(std::span<const std::string_view> choices) { return choices[below(choices.size())]; }
  // Prefers the first choices as people do: a quarter of the list is half of what is said.
  std::string_view pick_common(std::span<const std::string_view> choices) {
    const double u = unit();
    return choices[static_cast<std::size_t>(u * u * static_cast<double>(choices.size()))];
  }

private:
  std::uint64_t m_state;
};

}  // namespace repoupdate::bench
