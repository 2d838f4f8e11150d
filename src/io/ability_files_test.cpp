// SPDX-License-Identifier: Apache-2.0
#include "io/ability_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "testkit/fake_clock.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

constexpr StoreAbilities k_odd{Condition::honoured, Condition::never_met, true, Condition::refused};
const std::string k_store = "http://127.0.0.1:9000/bucket";

class AbilityFilesTest : public testing::Test {
protected:
  std::filesystem::path only_file() const {
    std::filesystem::path found;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      EXPECT_TRUE(found.empty()) << entry.path();
      found = entry.path();
    }
    return found;
  }

  ScratchDirectory directory;
  FakeClock clock;
  AbilityFiles files{directory.path(), clock};
};

TEST_F(AbilityFilesTest, WhatIsKeptIsFoundForTheSameStoreOnly) {
  EXPECT_FALSE(files.find(k_store));
  files.keep(k_store, k_odd);
  EXPECT_EQ(files.find(k_store), k_odd);
  EXPECT_FALSE(files.find(k_store + "2"));
  files.keep(k_store, {});
  EXPECT_EQ(files.find(k_store), StoreAbilities{});
  only_file();
}

TEST_F(AbilityFilesTest, IsBelievedForAWeek) {
  files.keep(k_store, k_odd);
  clock.advance(k_abilities_believed);
  EXPECT_TRUE(files.find(k_store));
  clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(files.find(k_store));
}

// It lies where anybody may write.
TEST_F(AbilityFilesTest, WhatOthersMayHaveWrittenIsNotBelieved) {
  files.keep(k_store, k_odd);
  const auto file = only_file();
  chmod(file.c_str(), 0666);
  EXPECT_FALSE(files.find(k_store));
  chmod(file.c_str(), 0600);
  EXPECT_TRUE(files.find(k_store));
  const auto elsewhere = file.parent_path() / "elsewhere";
  std::filesystem::rename(file, elsewhere);
  std::filesystem::create_symlink(elsewhere, file);
  EXPECT_FALSE(files.find(k_store));
}

TEST_F(AbilityFilesTest, DamagedFilesAreNoFiles) {
  files.keep(k_store, k_odd);
  const auto file = only_file();
  std::ifstream stream(file);
  const std::string sound(std::istreambuf_iterator<char>(stream), {});
  for (std::size_t length = 0; length + 2 < sound.size(); ++length) {
    std::ofstream(file) << sound.substr(0, length);
    EXPECT_FALSE(files.find(k_store)) << length;
  }
  for (const std::string& text : {std::string("[]"), std::string("{}"), std::string("null"), std::string(5000, ' '),
                                  std::string(R"({"format":1,"store":")") + k_store + R"(","probed":"x"})"}) {
    std::ofstream(file) << text;
    EXPECT_FALSE(files.find(k_store)) << text;
  }
  for (const char* time : {"-9223372036854775808", "-1", "9223372036854775807", "18446744073709551615", "1e300"}) {
    const std::string text =
        std::regex_replace(sound, std::regex(R"("probed":\d+)"), std::string("\"probed\":") + time);
    ASSERT_NE(text, sound);
    std::ofstream(file) << text;
    EXPECT_FALSE(files.find(k_store)) << text;
  }
}

TEST_F(AbilityFilesTest, DirectoryThatIsNotThereIsNoError) {
  const AbilityFiles nowhere(directory.path("missing"), clock);
  nowhere.keep(k_store, k_odd);
  EXPECT_FALSE(nowhere.find(k_store));
}

}  // namespace
}  // namespace repoupdate
