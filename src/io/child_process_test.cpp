// SPDX-License-Identifier: Apache-2.0
#include "io/child_process.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

const ChildLimits k_ample{.time = std::chrono::minutes(1), .output = 1 << 20};

using Words = std::vector<std::string>;

TEST(ChildProcess, GivesAllThatItWritesAndNothingToRead) {
  EXPECT_EQ(*run_child({"sh", "-c", "cat; echo one; echo no >&2; exec echo two"}, k_ample), "one\ntwo\n");
  const auto much = run_child({"sh", "-c", "head -c 300000 /dev/zero"}, k_ample);
  ASSERT_TRUE(much.ok());
  EXPECT_EQ(much->size(), 300'000U);
}

TEST(ChildProcess, ReadsItsInputAndComplains) {
  const std::string input(300'000, 'x');
  std::string complaints;
  const auto output = run_child({"sh", "-c", "cat; echo no >&2"}, k_ample, {.input = input, .complaints = &complaints});
  ASSERT_TRUE(output.ok()) << output.error().text();
  EXPECT_EQ(*output, input);
  EXPECT_EQ(complaints, "no\n");
  EXPECT_EQ(*run_child({"true"}, k_ample, {.input = input}), "") << "nobody has to read";
}

TEST(ChildProcess, KeepsTheEndOfManyComplaints) {
  std::string complaints;
  const auto output = run_child({"sh", "-c", "head -c 300000 /dev/zero >&2; echo why >&2; exit 3"}, k_ample,
                                {.complaints = &complaints});
  EXPECT_TRUE(output.failed_with(ErrorKind::io));
  EXPECT_EQ(complaints.size(), k_max_complaints);
  EXPECT_TRUE(complaints.ends_with("why\n"));
}

TEST(ChildProcess, ComplaintsAreShownWithoutSecrets) {
  ::setenv("SAMPLE_SECRET_KEY", "hunter22", 1);
  ::setenv("SAMPLE_WORD", "failure", 1);
  EXPECT_EQ(without_secrets("\x1b[1mfailure with\nhunter22 and hunter22.\n"), "[1mfailure with (hidden) and (hidden).");
  ::unsetenv("SAMPLE_SECRET_KEY");
  ::unsetenv("SAMPLE_WORD");
  EXPECT_EQ(without_secrets(""), "");
}

TEST(ChildProcess, ASecretThatIsAPartOfWhatHidesItIsHiddenOnce) {
  ::setenv("SAMPLE_SECRET_KEY", "hidden", 1);
  EXPECT_EQ(without_secrets("hidden and hidden"), "(hidden) and (hidden)");
  ::unsetenv("SAMPLE_SECRET_KEY");
}

TEST(ChildProcess, ArgumentsReachItAsTheyAre) {
  EXPECT_EQ(*run_child({"printf", "%s|", "$HOME", "a b", "*", ""}, k_ample), "$HOME|a b|*||");
}

TEST(ChildProcess, FailuresAreNamed) {
  EXPECT_TRUE(run_child({}, k_ample).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(run_child({"/does/not/exist"}, k_ample).failed_with(ErrorKind::not_found));
  EXPECT_TRUE(run_child({"/dev/null"}, k_ample).failed_with(ErrorKind::denied));
  EXPECT_TRUE(run_child({"false"}, k_ample).failed_with(ErrorKind::io));
  EXPECT_TRUE(run_child({"yes"}, {.time = std::chrono::minutes(1), .output = 1000}).failed_with(ErrorKind::invalid));
}

// The child and its own child write their ids, then hang, one of them with its output closed.
TEST(ChildProcess, IsKilledWithItsChildrenWhenTheTimeIsOver) {
  const ScratchDirectory directory;
  const std::string file = directory.path("ids");
  pid_t child = 0, grandchild = 0;
  // On a busy machine the shell may need more time than the first limit gives.
  for (Duration time{250}; grandchild == 0 && time < std::chrono::minutes(1); time *= 2) {
    const auto late = run_child({"sh", "-c", "sleep 1000 & echo $$ $! > \"$0\"; exec >&-; wait", file},
                                {.time = time, .output = 1000});
    EXPECT_TRUE(late.failed_with(ErrorKind::timed_out));
    std::ifstream(file) >> child >> grandchild;
  }
  ASSERT_GT(grandchild, 0);
  EXPECT_EQ(::kill(child, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  // The grandchild is reaped by somebody else; until then it is a zombie.
  const auto is_gone = [grandchild] {
    std::ifstream status("/proc/" + std::to_string(grandchild) + "/stat");
    std::string id, name, state;
    return !(status >> id >> name >> state) || state == "Z";
  };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_gone() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_TRUE(is_gone());
}

TEST(ChildProcess, IsKilledWhenItIsStopped) {
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  ChildLimits limits = k_ample;
  limits.stop = stop.get_token();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(run_child({"sleep", "1000"}, limits).failed_with(ErrorKind::cancelled));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

// Somebody who inherits the output and stays does not hold up whoever waits for it.
TEST(ChildProcess, EndsWhenItEndsWhoeverKeepsItsOutput) {
  const auto output = run_child({"sh", "-c", "sleep 1000 & echo $!"}, k_ample);
  ASSERT_TRUE(output.ok()) << output.error().text();
  ::kill(std::stoi(*output), SIGKILL);
}

TEST(SplitCommand, IsAShellsWithoutExpansion) {
  EXPECT_EQ(split_command("  a  b\tc "), (Words{"a", "b", "c"}));
  EXPECT_EQ(split_command("'a b' \"c d\" e'f'\"g\""), (Words{"a b", "c d", "efg"}));
  EXPECT_EQ(split_command(R"(a\ b "c\"d\\e\f" 'g\h')"), (Words{"a b", R"(c"d\e\f)", R"(g\h)"}));
  EXPECT_EQ(split_command("'' $HOME ~ `x` a;b"), (Words{"", "$HOME", "~", "`x`", "a;b"}));
  EXPECT_EQ(split_command(""), Words{});
  EXPECT_FALSE(split_command("a 'b"));
  EXPECT_FALSE(split_command("a \"b"));
}

}  // namespace
}  // namespace repoupdate
