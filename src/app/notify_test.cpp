// SPDX-License-Identifier: Apache-2.0
#include "app/notify.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A service manager's socket.
class Listener {
public:
  explicit Listener(const std::string& name) : m_socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(m_socket.get(), reinterpret_cast<sockaddr*>(&address), length), 0) << std::strerror(errno);
  }
  std::string next() const {
    char text[2048];
    const auto size = ::recv(m_socket.get(), text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }

private:
  FileHandle m_socket;
};

TEST(ServiceNotifier, TellsWhoeverListensAtAPathOrAnAbstractName) {
  const ScratchDirectory directory;
  for (const std::string& name :
       {directory.path() + "/notify", "@repoupdate-notify-test-" + std::to_string(::getpid())}) {
    const Listener listener(name);
    const ServiceNotifier notifier({name, {}, {}});
    EXPECT_TRUE(notifier.is_on());
    EXPECT_EQ(notifier.watchdog_interval(), std::nullopt);
    notifier.ready("serving\n2 repositories");
    EXPECT_EQ(listener.next(), "READY=1\nSTATUS=serving 2 repositories");
    notifier.reloading();
    const std::string reloading = listener.next();
    EXPECT_THAT(reloading, StartsWith("RELOADING=1\nMONOTONIC_USEC="));
    notifier.stopping();
    EXPECT_THAT(listener.next(), StartsWith("STOPPING=1\n"));
  }
}

TEST(ServiceNotifier, SaysNothingWhereNobodyListens) {
  for (const char* socket : {"", "/", "relative", "/nowhere/at/all"}) {
    const ServiceNotifier notifier({socket, {}, {}});
    notifier.ready("x");
  }
  EXPECT_FALSE(ServiceNotifier({{}, {}, {}}).is_on());
  EXPECT_FALSE(ServiceNotifier({std::string(200, '/'), {}, {}}).is_on()) << "longer than a socket's name may be";
}

TEST(ServiceNotifier, TheWatchdogIsFedTwiceInItsTimeIfItIsOurs) {
  const std::string mine = std::to_string(::getpid());
  const auto interval = [](const std::string& usec, const std::string& pid) {
    return ServiceNotifier({"@nobody", usec, pid}).watchdog_interval();
  };
  EXPECT_EQ(interval("30000000", mine), Duration(15'000));
  EXPECT_EQ(interval("30000000", ""), Duration(15'000));
  EXPECT_EQ(interval("30000000", "1"), std::nullopt);
  EXPECT_EQ(interval("", mine), std::nullopt);
  EXPECT_EQ(interval("0", mine), std::nullopt);
  EXPECT_EQ(interval("10s", mine), std::nullopt);
  EXPECT_EQ(interval("500", mine), Duration(1)) << "not without a pause";
}

}  // namespace
}  // namespace repoupdate
