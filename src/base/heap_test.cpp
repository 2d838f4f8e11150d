// SPDX-License-Identifier: Apache-2.0
#include "base/heap.hpp"

#include <gtest/gtest.h>
#ifdef REPOUPDATE_HAS_TCMALLOC
#include <gperftools/malloc_extension_c.h>
#endif
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace repoupdate {
namespace {

// Resident, in bytes: proc(5), /proc/pid/statm.
std::size_t memory() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Many small pieces, and one that stays in their midst, as after a large publication.
TEST(HeapTest, FreedMemoryGoesBackToTheSystem) {
#ifndef REPOUPDATE_HAS_TCMALLOC
  GTEST_SKIP() << "a sanitizer's allocator";
#endif
  constexpr std::size_t k_pieces = 200'000, k_piece = 400;
  return_memory_at_once();
  const std::size_t before = memory();
  std::string kept;
  {
    std::vector<std::string> pieces;
    for (std::size_t i = 0; i < k_pieces; ++i) pieces.emplace_back(k_piece, 'x');
    kept = std::move(pieces[k_pieces / 2]);
    ASSERT_GT(memory(), before + k_pieces * k_piece);
  }
  EXPECT_LT(memory(), before + k_pieces * k_piece / 4);
  EXPECT_EQ(kept.size(), k_piece);
}

#ifdef REPOUPDATE_HAS_TCMALLOC
std::size_t kept_by_threads() {
  std::size_t bytes = 0;
  EXPECT_TRUE(MallocExtension_GetNumericProperty("tcmalloc.current_total_thread_cache_bytes", &bytes));
  return bytes;
}

TEST(HeapTest, ThreadThatWaitsKeepsNothing) {
  constexpr std::size_t k_pieces = 100, k_piece = 4000;
  const std::size_t before = kept_by_threads();
  {
    std::vector<std::string> pieces;
    for (std::size_t i = 0; i < k_pieces; ++i) pieces.emplace_back(k_piece, 'x');
  }
  ASSERT_GT(kept_by_threads(), before + k_pieces * k_piece / 4);
  return_thread_memory();
  EXPECT_LT(kept_by_threads(), k_pieces * k_piece / 20);
}
#endif

}  // namespace
}  // namespace repoupdate
