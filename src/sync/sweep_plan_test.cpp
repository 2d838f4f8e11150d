// SPDX-License-Identifier: Apache-2.0
#include "sync/sweep_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace repoupdate {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsEmpty;

const SystemTime k_now{std::chrono::seconds(1'800'000'000)};

std::string hashed(char digit, const std::string& rest = "primary.xml.gz") {
  return "repodata/" + std::string(64, digit) + '-' + rest;
}

class SweepPlanTest : public testing::Test {
protected:
  SweepPlanTest() {
    input.now = k_now;
    input.pointer_modified = k_now - hours(100);
    name({hashed('f')});
  }
  void name(const std::vector<std::string>& keys) {
    Repomd repomd;
    for (const auto& key : keys) {
      RepomdRecord record;
      record.type = "primary";
      record.location_href = key;
      repomd.records.push_back(record);
    }
    input.named = NamedFiles(repomd, "<repomd>and elsewhere: mentioned.txt</repomd>");
  }
  void place(const std::string& key, Duration age) {
    ObjectInfo object;
    object.key = key;
    object.size = 10;
    object.last_modified = std::chrono::floor<std::chrono::seconds>(k_now - age);
    input.objects.push_back(object);
  }
  SweepVerdict verdict_of(const std::string& key) {
    plan = plan_sweep(input, policy);
    for (const auto& file : plan.files)
      if (file.key == key) return file.verdict;
    ADD_FAILURE() << key << " is not in the plan";
    return SweepVerdict::unknown;
  }

  SweepInput input;
  SweepPolicy policy{.grace = hours(24), .generations = 0};
  SweepPlan plan;
};

TEST_F(SweepPlanTest, NamedStaysAndOldSupersededGoes) {
  place("repodata/repomd.xml", hours(100));
  place("repodata/repomd.xml.asc", hours(100));
  place("repodata/mentioned.txt", hours(200));
  place(hashed('f'), hours(200));
  place(hashed('0'), hours(200));
  EXPECT_EQ(verdict_of("repodata/repomd.xml"), SweepVerdict::named);
  EXPECT_EQ(verdict_of("repodata/repomd.xml.asc"), SweepVerdict::named);
  EXPECT_EQ(verdict_of("repodata/mentioned.txt"), SweepVerdict::named);
  EXPECT_EQ(verdict_of(hashed('f')), SweepVerdict::named);
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::goes);
  EXPECT_FALSE(plan.next);
}

TEST_F(SweepPlanTest, NothingUnknownEverGoes) {
  const std::vector<std::string> keys{"repodata/notes.txt",
                                      "repodata/primary.xml.gz",
                                      hashed('0', "primary.sqlite.bz2"),
                                      hashed('0', "primary.xml.xz"),
                                      hashed('0', "primary.xml"),
                                      hashed('0', "updateinfo.xml.gz"),
                                      "repodata/" + std::string(63, '0') + "-primary.xml.gz",
                                      "repodata/" + std::string(64, 'A') + "-primary.xml.gz",
                                      "repodata/" + std::string(64, 'x') + "-primary.xml.gz",
                                      "repodata/old/" + std::string(64, '0') + "-primary.xml.gz",
                                      "repodata/repodata/" + std::string(64, '0') + "-primary.xml.gz"};
  for (const auto& key : keys) place(key, hours(10'000));
  for (const auto& key : keys) EXPECT_EQ(verdict_of(key), SweepVerdict::unknown) << key;
  EXPECT_THAT(plan.notes.seen, IsEmpty());
}

TEST_F(SweepPlanTest, WhatAnOldRepomdNamedIsKnown) {
  place("repodata/primary.xml.gz", hours(200));
  place(hashed('0', "primary.sqlite.bz2"), hours(200));
  input.notes.known = {"repodata/primary.xml.gz", hashed('0', "primary.sqlite.bz2"), "repodata/gone.xml.gz"};
  EXPECT_EQ(verdict_of("repodata/primary.xml.gz"), SweepVerdict::goes);
  EXPECT_EQ(verdict_of(hashed('0', "primary.sqlite.bz2")), SweepVerdict::goes);
  EXPECT_FALSE(plan.notes.known.contains("repodata/gone.xml.gz"));  // not there any more
}

// Another tool exchanges its record without telling us; a sweep has seen the old one named.
TEST_F(SweepPlanTest, RecordsOfOtherToolsAreRememberedWhileTheyAreNamed) {
  place(hashed('1', "updateinfo.xml.gz"), hours(300));
  place("repodata/comps.xml", hours(300));
  name({hashed('f'), hashed('1', "updateinfo.xml.gz"), "repodata/comps.xml"});
  EXPECT_EQ(verdict_of(hashed('1', "updateinfo.xml.gz")), SweepVerdict::named);
  input.notes = plan.notes;
  name({hashed('f')});
  EXPECT_EQ(verdict_of(hashed('1', "updateinfo.xml.gz")), SweepVerdict::goes);
  EXPECT_EQ(verdict_of("repodata/comps.xml"), SweepVerdict::unknown);
}

// Both the time since it was put and the time since it is not named.
TEST_F(SweepPlanTest, GraceCountsFromTheLastPublication) {
  place(hashed('0'), hours(200));
  input.pointer_modified = k_now - hours(23);
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::grace);
  EXPECT_EQ(plan.next, k_now + hours(1));
  input.pointer_modified = k_now - hours(24);
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::goes);
}

TEST_F(SweepPlanTest, AFileThatACrashLeftGoesWhenItIsOldEnough) {
  place(hashed('0'), hours(23));  // younger than repomd.xml: it never was named
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::grace);
  input.now = k_now + hours(1);
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::goes);
}

// In a repository that is published all the time, repomd.xml is always young.
TEST_F(SweepPlanTest, ANoteTellsHowLongAFileIsSuperseded) {
  place(hashed('0'), hours(200));
  input.pointer_modified = k_now - minutes(1);
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::grace);
  input.notes = plan.notes;
  input.pointer_modified = k_now + hours(23);
  input.now = k_now + hours(24) - minutes(1);
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::goes);
}

// It was named again meanwhile: whoever did that has put it again.
TEST_F(SweepPlanTest, ANoteIsVoidWhenTheFileWasPutAgain) {
  place(hashed('0'), hours(30));
  input.pointer_modified = k_now - minutes(1);
  input.notes.seen[hashed('0')] = {k_now - hours(90), k_now - hours(100)};
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::grace);
  EXPECT_EQ(plan.notes.seen.at(hashed('0')).since, k_now - minutes(1));
}

// Until then a publication under way may name it without putting it again, and a note would not become void.
TEST_F(SweepPlanTest, NoNoteIsTakenOfAYoungFile) {
  policy.generations = 3;
  place(hashed('0'), minutes(59));
  place(hashed('1'), minutes(60));
  verdict_of(hashed('0'));
  EXPECT_FALSE(plan.notes.seen.contains(hashed('0')));
  EXPECT_TRUE(plan.notes.seen.contains(hashed('1')));
}

TEST_F(SweepPlanTest, NoGraceIsShorterThanAnHour) {
  policy.grace = Duration(0);
  place(hashed('0'), minutes(59));
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::grace);
}

TEST_F(SweepPlanTest, NewestGenerationsOfEachKindStay) {
  policy.generations = 2;
  for (int i = 1; i <= 4; ++i) {
    const char digit = static_cast<char>('0' + i);
    place(hashed(digit), hours(100 + i));
    place(hashed(digit, i % 2 ? "other.xml.gz" : "other.xml.zst"), hours(200 + i));
  }
  for (const char digit : {'1', '2'}) {
    EXPECT_EQ(verdict_of(hashed(digit)), SweepVerdict::generation);
    EXPECT_EQ(verdict_of(hashed(digit, digit == '1' ? "other.xml.gz" : "other.xml.zst")), SweepVerdict::generation);
  }
  for (const char digit : {'3', '4'}) EXPECT_EQ(verdict_of(hashed(digit)), SweepVerdict::goes);
  EXPECT_EQ(verdict_of(hashed('3', "other.xml.gz")), SweepVerdict::goes);
  EXPECT_FALSE(plan.next);
}

TEST_F(SweepPlanTest, SqliteGoesWithTheGenerationThatItBelongsTo) {
  policy.generations = 2;
  for (int i = 1; i <= 3; ++i) {
    const char digit = static_cast<char>('0' + i);
    place(hashed(digit), hours(100 + i));
    place(hashed(digit, "primary.sqlite.bz2"), hours(100 + i) + std::chrono::seconds(20));
    input.notes.known.insert(hashed(digit, "primary.sqlite.bz2"));
  }
  EXPECT_EQ(verdict_of(hashed('2', "primary.sqlite.bz2")), SweepVerdict::generation);
  EXPECT_EQ(verdict_of(hashed('3', "primary.sqlite.bz2")), SweepVerdict::goes);
  EXPECT_EQ(verdict_of(hashed('2')), SweepVerdict::generation);
  EXPECT_EQ(verdict_of(hashed('3')), SweepVerdict::goes);
}

TEST_F(SweepPlanTest, OfThoseThatWerePutInTheSameSecondAllStay) {
  policy.generations = 2;
  for (const char digit : {'1', '2', '3', '4'}) place(hashed(digit), digit == '4' ? hours(101) : hours(100));
  for (const char digit : {'1', '2', '3'}) EXPECT_EQ(verdict_of(hashed(digit)), SweepVerdict::generation);
  EXPECT_EQ(verdict_of(hashed('4')), SweepVerdict::goes);
}

// The times of a directory's files are whatever they came with: only what was seen counts.
TEST_F(SweepPlanTest, InADirectoryGraceCountsFromWhenASweepSawIt) {
  input.times_are_of_files = true;
  place(hashed('0'), hours(200));
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::grace);
  EXPECT_EQ(plan.next, k_now + hours(24));
  input.notes = plan.notes;
  input.now = k_now + hours(24);
  EXPECT_EQ(verdict_of(hashed('0')), SweepVerdict::goes);
}

TEST_F(SweepPlanTest, OurOwnObjectsStayAndOldProbesGo) {
  place("repodata/.repoupdate/lease.json", hours(1000));
  place("repodata/.repoupdate/quarantine.json", hours(1000));
  place("repodata/.repoupdate/probe-abc", hours(1000));
  place("repodata/.repoupdate/probe-def", hours(1));
  EXPECT_EQ(verdict_of("repodata/.repoupdate/lease.json"), SweepVerdict::own);
  EXPECT_EQ(verdict_of("repodata/.repoupdate/quarantine.json"), SweepVerdict::own);
  EXPECT_EQ(verdict_of("repodata/.repoupdate/probe-abc"), SweepVerdict::goes);
  EXPECT_EQ(verdict_of("repodata/.repoupdate/probe-def"), SweepVerdict::grace);
}

TEST(SweepNotes, AreReadAsWritten) {
  SweepNotes notes;
  notes.seen["repodata/a b.xml"] = {k_now, k_now - hours(3)};
  notes.known = {"repodata/primary.xml.gz", "repodata/x y"};
  EXPECT_EQ(parse_sweep_notes(to_text(notes)), notes);
  const std::string text = to_text(notes);
  for (const std::string& damaged :
       {text.substr(1), text.substr(0, text.size() - 1), text + "more\n", text + "since 1 x\n", text + "known \n"})
    EXPECT_EQ(parse_sweep_notes(damaged), SweepNotes{}) << damaged;
}

}  // namespace
}  // namespace repoupdate
