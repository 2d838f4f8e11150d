// SPDX-License-Identifier: Apache-2.0
// A TCP socket that listens, for those who serve.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/posix_file.hpp"

namespace repoupdate {

struct ListenSocket {
  FileHandle handle;    // non-blocking
  std::string address;  // "127.0.0.1:8042" or "[::1]:8042": what it is bound to
};

// `address` is HOST:PORT, an IPv6 address in brackets; port 0: any free one. ErrorKind::invalid when it is none, or
// there is no such host; io when that cannot be told now, when nobody may listen there, or somebody else does.
Result<ListenSocket> listen_on(std::string_view address);

// What a code of getaddrinfo(3) says of a host: invalid, that there is none. io, that nobody could be asked; it may well
// be there in a minute, as when the network comes up after this program.
ErrorKind kind_of_lookup(int code);

// The host of a socket address, as a number: "127.0.0.1".
std::string host_of(const sockaddr& address, socklen_t length);

}  // namespace repoupdate
