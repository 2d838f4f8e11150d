// SPDX-License-Identifier: Apache-2.0
#include "io/settling_files.hpp"

#include <gmock/gmock.h>

namespace repoupdate {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const WatchedFile k_file{0, "a.rpm"};

SteadyTime at(int second) {
  return SteadyTime(seconds(second));
}
SettlingFiles::Look sees(std::optional<FileStamp> stamp) {
  return [stamp](const WatchedFile&) { return stamp; };
}

TEST(SettlingFiles, AFileThatStaysTheSameIsTakenOnce) {
  SettlingFiles files;
  files.add(k_file, {10, 1}, seconds(2), at(0));
  EXPECT_EQ(files.next(), at(2));
  EXPECT_THAT(files.take_settled(at(1), sees(FileStamp{10, 1})), IsEmpty());
  EXPECT_THAT(files.take_settled(at(2), sees(FileStamp{10, 1})), ElementsAre(k_file));
  EXPECT_THAT(files.take_settled(at(9), sees(FileStamp{10, 1})), IsEmpty());
  EXPECT_EQ(files.next(), std::nullopt);
}

TEST(SettlingFiles, AFileThatGrowsOrIsTouchedWaitsAnew) {
  SettlingFiles files;
  files.add(k_file, {10, 1}, seconds(2), at(0));
  EXPECT_THAT(files.take_settled(at(2), sees(FileStamp{20, 1})), IsEmpty());
  EXPECT_THAT(files.take_settled(at(4), sees(FileStamp{20, 2})), IsEmpty());
  EXPECT_THAT(files.take_settled(at(5), sees(FileStamp{20, 2})), IsEmpty());
  EXPECT_THAT(files.take_settled(at(6), sees(FileStamp{20, 2})), ElementsAre(k_file));
}

TEST(SettlingFiles, AFileThatIsGoneOrForgottenIsNotTaken) {
  SettlingFiles files;
  files.add(k_file, {10, 1}, seconds(2), at(0));
  EXPECT_THAT(files.take_settled(at(2), sees(std::nullopt)), IsEmpty());
  EXPECT_EQ(files.next(), std::nullopt);
  files.add(k_file, {10, 1}, seconds(2), at(3));
  files.forget(k_file);
  EXPECT_THAT(files.take_settled(at(9), sees(FileStamp{10, 1})), IsEmpty());
}

TEST(SettlingFiles, TheShorterWaitCounts) {
  SettlingFiles files;
  files.add(k_file, {10, 1}, seconds(30), at(0));
  files.add(k_file, {10, 1}, seconds(1), at(0));
  files.add({1, "b.rpm"}, {5, 1}, seconds(9), at(0));
  EXPECT_EQ(files.next(), at(1));
  EXPECT_THAT(files.take_settled(at(1), sees(FileStamp{10, 1})), ElementsAre(k_file));
  EXPECT_EQ(files.next(), at(9));
}

}  // namespace
}  // namespace repoupdate
