// SPDX-License-Identifier: Apache-2.0
#include "model/fragments.hpp"

#include <gtest/gtest.h>

#include "testkit/memory_scratch.hpp"

namespace repoupdate {
namespace {

TEST(Fragments, CopiesShareTheTextUntilOneIsChanged) {
  Fragments one;
  one[MetadataKind::other] = "text";
  Fragments other = one;
  EXPECT_EQ(&std::as_const(one)[MetadataKind::other], &std::as_const(other)[MetadataKind::other]);
  other[MetadataKind::other] += " more";
  EXPECT_EQ(std::as_const(one)[MetadataKind::other], "text");
  EXPECT_EQ(std::as_const(other)[MetadataKind::other], "text more");
}

Fragments sample_fragments(const std::string& name) {
  PerKind<std::string> texts;
  for (const auto& about : k_metadata_kinds) texts[about.kind] = name + " in " + std::string(about.name);
  return texts;
}

std::string text_of(const Fragments& fragments, MetadataKind kind) {
  std::string room;
  const auto text = fragments.text(kind, room);
  return text ? std::string(*text) : text.error().text();
}

TEST(Fragments, ReadTheSameFromWhereTheyWerePutAside) {
  const std::shared_ptr<ScratchFile> file = *MemoryScratch().create();
  Fragments one = sample_fragments("one"), other = sample_fragments("other");
  const Fragments copy = one;
  ASSERT_TRUE(one.put_aside(file));
  ASSERT_TRUE(other.put_aside(file));
  for (const auto& about : k_metadata_kinds) {
    EXPECT_EQ(text_of(one, about.kind), "one in " + std::string(about.name));
    EXPECT_EQ(text_of(other, about.kind), "other in " + std::string(about.name));
    EXPECT_EQ(text_of(copy, about.kind), "one in " + std::string(about.name));
    EXPECT_EQ(one.size(about.kind), copy.size(about.kind));
  }
  EXPECT_EQ(one.size_in_memory(), 0U);
  EXPECT_GT(copy.size_in_memory(), 0U);
}

TEST(Fragments, StayInMemoryWhereTheFileIsFull) {
  Fragments fragments = sample_fragments("package");
  EXPECT_EQ(fragments.put_aside(*MemoryScratch(25).create()).error().kind, ErrorKind::no_space);
  for (const auto& about : k_metadata_kinds)
    EXPECT_EQ(text_of(fragments, about.kind), "package in " + std::string(about.name));
}

}  // namespace
}  // namespace repoupdate
