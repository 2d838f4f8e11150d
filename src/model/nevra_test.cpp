// SPDX-License-Identifier: Apache-2.0
#include "model/nevra.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(Nevra, PrintsTheEpochOnlyWhenThereIsOne) {
  EXPECT_EQ(to_string(Nevra{"bash", "0", "5.2", "1", "x86_64"}), "bash-5.2-1.x86_64");
  EXPECT_EQ(to_string(Nevra{"grub2", "1", "2.06", "3.fc40", "noarch"}), "grub2-1:2.06-3.fc40.noarch");
}

TEST(Nevra, IsReadBackFromItsText) {
  for (const char* text : {"bash-5.2-1.x86_64", "grub2-1:2.06-3.noarch", "gtk+-c++_lib-1.0~rc1^git-1.src"}) {
    const auto nevra = parse_nevra(text);
    ASSERT_TRUE(nevra) << text;
    EXPECT_EQ(to_string(*nevra), text);
  }
}

TEST(Nevra, RefusesTextWithAPartMissing) {
  for (const char* text : {"", "bash", "bash-5.2", "bash-5.2.x86_64", "-5.2-1.x86_64", "bash-5.2-1.", "a-x:1-1.noarch"})
    EXPECT_FALSE(parse_nevra(text)) << text;
}

}  // namespace
}  // namespace repoupdate
