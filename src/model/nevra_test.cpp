// SPDX-License-Identifier: Apache-2.0
#include "model/nevra.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(Nevra, PrintsTheEpochOnlyWhenThereIsOne) {
  EXPECT_EQ(to_string(Nevra{"bash", "0", "5.2", "1", "x86_64"}), "bash-5.2-1.x86_64");
  EXPECT_EQ(to_string(Nevra{"grub2", "1", "2.06", "3.fc40", "noarch"}), "grub2-1:2.06-3.fc40.noarch");
}

}  // namespace
}  // namespace repoupdate
