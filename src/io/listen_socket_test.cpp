// SPDX-License-Identifier: Apache-2.0
#include "io/listen_socket.hpp"

#include <gtest/gtest.h>
#include <netdb.h>

namespace repoupdate {
namespace {

TEST(ListenSocket, AHostThatCannotBeLookedUpNowIsNoMistakeInTheSettings) {
  for (const int code : {EAI_AGAIN, EAI_SYSTEM, EAI_MEMORY})
    EXPECT_EQ(kind_of_lookup(code), ErrorKind::io) << ::gai_strerror(code);
  for (const int code : {EAI_NONAME, EAI_FAMILY, EAI_SERVICE})
    EXPECT_EQ(kind_of_lookup(code), ErrorKind::invalid) << ::gai_strerror(code);
}

}  // namespace
}  // namespace repoupdate
