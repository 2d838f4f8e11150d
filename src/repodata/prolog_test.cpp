// SPDX-License-Identifier: Apache-2.0
#include "repodata/prolog.hpp"

#include <gtest/gtest.h>

#include <string>

namespace repoupdate {
namespace {

constexpr const char* k_filelists = "http://linux.duke.edu/metadata/filelists";

Result<std::string> counted(const std::string& bytes, std::size_t packages) {
  auto prolog = read_prolog(MetadataKind::filelists, bytes);
  if (!prolog) return std::move(prolog).error();
  return with_count(*prolog, packages);
}

TEST(Prolog, OnlyTheCountChanges) {
  const std::string ns = k_filelists;
  const std::pair<std::string, std::string> cases[] = {
      {"<filelists xmlns=\"" + ns + "\" packages=\"7\">", "<filelists xmlns=\"" + ns + "\" packages=\"12\">"},
      {"<filelists packages='0000000007'  xmlns='" + ns + "' >", "<filelists packages='12'  xmlns='" + ns + "' >"},
      {"<filelists xmlns=\"" + ns + "\" packages=\"\">", "<filelists xmlns=\"" + ns + "\" packages=\"12\">"},
      {"<filelists xmlns=\"" + ns + "\">", "<filelists xmlns=\"" + ns + "\" packages=\"12\">"},
      {"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<!-- packages=\"7\" "
       "-->\n<filelists a='packages=\"7\"' xmlns=\"" +
           ns + "\" packages=\"7\">",
       "\xef\xbb\xbf<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<!-- packages=\"7\" "
       "-->\n<filelists a='packages=\"7\"' xmlns=\"" +
           ns + "\" packages=\"12\">"},
      {"<filelists xmlns=\"" + ns + "\" packages=\"7\"/>", "<filelists xmlns=\"" + ns + "\" packages=\"12\">"},
  };
  for (const auto& [before, after] : cases) {
    const auto result = counted(before, 12);
    ASSERT_TRUE(result) << before << ": " << result.error().text();
    EXPECT_EQ(*result, after);
  }
  EXPECT_TRUE(read_prolog(MetadataKind::filelists, cases[5].first)->root_was_empty);
  EXPECT_FALSE(read_prolog(MetadataKind::filelists, cases[0].first)->root_was_empty);
}

TEST(Prolog, RefusesOtherEncodingsAndNamespaces) {
  const std::string ns = k_filelists;
  for (const std::string& bytes :
       {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><filelists xmlns=\"" + ns + "\">",
        "<?xml version='1.0' encoding='UTF-16'?><filelists xmlns=\"" + ns + "\">", std::string("<filelists>"),
        std::string("<filelists xmlns=\"http://example.org/\">"), "<filelists xmlns:x=\"" + ns + "\">"})
    EXPECT_TRUE(counted(bytes, 1).failed_with(ErrorKind::unsupported)) << bytes;
  EXPECT_TRUE(read_prolog(MetadataKind::primary, "<metadata xmlns=\"http://linux.duke.edu/metadata/common\">")
                  .failed_with(ErrorKind::unsupported));  // <rpm:entry> in an insert would not be well-formed
}

TEST(Prolog, EmptyDocumentIsCreaterepos) {
  EXPECT_EQ(empty_document(MetadataKind::primary),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" "
            "xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"0\">\n</metadata>");
  EXPECT_EQ(empty_document(MetadataKind::other),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<otherdata xmlns=\"http://linux.duke.edu/metadata/other\" "
            "packages=\"0\">\n</otherdata>");
}

}  // namespace
}  // namespace repoupdate
