// SPDX-License-Identifier: Apache-2.0
#include "io/aws_profile.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

TEST(AwsConfig, ReadsSectionsEntriesAndWhatIsNestedBelowThem) {
  const auto file = parse_aws_config(
      "# a comment\n"
      "[default]\r\n"
      "region = eu-west-1\n"
      "; another\n"
      "\n"
      "[profile  \t build]\n"
      "aws_secret_access_key = a=b#c\n"
      "[services local]\n"
      "s3 =\n"
      "  endpoint_url = http://127.0.0.1:7480\n"
      "\tmax = 1\n"
      "sqs =\n"
      "  endpoint_url = http://127.0.0.1:9324",
      "config");
  ASSERT_TRUE(file.ok()) << file.error().text();
  EXPECT_EQ(file->at("default").at("region"), "eu-west-1");
  EXPECT_EQ(file->at("profile build").at("aws_secret_access_key"), "a=b#c");
  EXPECT_EQ(file->at("services local").at("s3.endpoint_url"), "http://127.0.0.1:7480");
  EXPECT_EQ(file->at("services local").at("s3.max"), "1");
  EXPECT_EQ(file->at("services local").at("sqs.endpoint_url"), "http://127.0.0.1:9324");
}

TEST(AwsConfig, NestsOnlyWhatIsIndentedDeeper) {
  const auto file = parse_aws_config(
      "[default]\n"
      "  aws_access_key_id = A\n"
      "  aws_secret_access_key = S\n"
      "  s3 =\n"
      "    addressing_style = path\n"
      "  region = eu-west-1\n"
      "output = json\n",
      "config");
  ASSERT_TRUE(file.ok()) << file.error().text();
  EXPECT_EQ(file->at("default"), (std::map<std::string, std::string>{{"aws_access_key_id", "A"},
                                                                     {"aws_secret_access_key", "S"},
                                                                     {"s3", ""},
                                                                     {"s3.addressing_style", "path"},
                                                                     {"region", "eu-west-1"},
                                                                     {"output", "json"}}));
}

TEST(AwsConfig, NamesOfProfilesMayStandInQuotes) {
  for (const char* header : {"[profile 'my build']", "[profile \"my build\"]", "[ profile  'my build' ]"}) {
    const auto file = parse_aws_config(std::string(header) + "\nregion = r\n", "config");
    ASSERT_TRUE(file.ok()) << header;
    EXPECT_TRUE(file->contains("profile my build")) << header;
  }
  EXPECT_TRUE(parse_aws_config("[sso-session 'my org']\n", "config")->contains("sso-session my org"));
  EXPECT_TRUE(parse_aws_config("[it's]\n", "credentials")->contains("it's"));
}

TEST(AwsConfig, NamesTheLineThatItCannotReadButNotItsText) {
  const auto file = parse_aws_config("[default]\nSECRET\n", "credentials");
  ASSERT_TRUE(file.failed_with(ErrorKind::invalid));
  EXPECT_NE(file.error().message.find("credentials: line 2"), std::string::npos);
  EXPECT_EQ(file.error().message.find("SECRET"), std::string::npos);
  EXPECT_TRUE(parse_aws_config("key = outside\n", "f").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(parse_aws_config("[a]\n= value\n", "f").failed_with(ErrorKind::invalid));
}

// Files in a directory of their own and an environment that is a map.
class AwsProfileTest : public ::testing::Test {
protected:
  AwsProfileTest() {
    std::filesystem::create_directories(m_home / ".aws");
    m_environment["HOME"] = m_home;
  }

  void write(const std::string& name, const std::string& text) { std::ofstream(m_home / ".aws" / name) << text; }
  Result<AwsProfile> load(const std::string& setting = {}) {
    return load_aws_profile([this](const std::string& name) { return m_environment[name]; }, setting);
  }

  ScratchDirectory m_directory;
  const std::filesystem::path m_home = m_directory.path();
  std::map<std::string, std::string> m_environment;
};

TEST_F(AwsProfileTest, MissingFilesAreEmpty) {
  std::filesystem::remove_all(m_home);
  const auto profile = load();
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(profile->name, "default");
  EXPECT_FALSE(profile->chosen);
  EXPECT_EQ(profile->region, "");
}

TEST_F(AwsProfileTest, SettingGoesBeforeEnvironmentBeforeDefault) {
  write("config", "[default]\nregion = a\n[profile env]\nregion = b\n[profile set]\nregion = c\n");
  EXPECT_EQ(load()->region, "a");
  m_environment["AWS_PROFILE"] = "env";
  EXPECT_EQ(load()->region, "b");
  EXPECT_TRUE(load()->chosen);
  EXPECT_EQ(load("set")->region, "c");
  m_environment["AWS_DEFAULT_REGION"] = "d";
  EXPECT_EQ(load("set")->region, "d");
  m_environment["AWS_REGION"] = "e";
  EXPECT_EQ(load("set")->region, "e");
}

TEST_F(AwsProfileTest, ChosenProfileMustExist) {
  write("credentials", "[only-here]\naws_access_key_id = A\naws_secret_access_key = S\n");
  EXPECT_EQ(load("only-here")->entries.credentials.at("aws_access_key_id"), "A");
  const auto missing = load("nowhere");
  ASSERT_TRUE(missing.failed_with(ErrorKind::invalid));
  EXPECT_NE(missing.error().message.find("'nowhere'"), std::string::npos);
}

TEST_F(AwsProfileTest, EndpointOfOneServiceGoesBeforeTheOneOfAll) {
  write("config",
        "[default]\nendpoint_url = http://profile\nservices = local\n[services local]\ns3 =\n  endpoint_url "
        "= http://s\n");
  EXPECT_EQ(load()->s3_endpoint_url, "http://s");
  EXPECT_EQ(load()->sqs_endpoint_url, "http://profile");
  m_environment["AWS_ENDPOINT_URL"] = "http://all";
  EXPECT_EQ(load()->s3_endpoint_url, "http://all");
  EXPECT_EQ(load()->sqs_endpoint_url, "http://all");
  m_environment["AWS_ENDPOINT_URL_SQS"] = "http://q";
  EXPECT_EQ(load()->sqs_endpoint_url, "http://q");
  m_environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(load()->sqs_endpoint_url, "");
}

TEST_F(AwsProfileTest, EveryServiceHasAnEndpointOfItsOwn) {
  write(
      "config",
      "[default]\nendpoint_url = http://profile\nservices = local\n[services local]\nsts =\n  endpoint_url = http://t\n"
      "sso =\n  endpoint_url = http://o\n");
  EXPECT_EQ(load()->sts_endpoint_url, "http://t");
  EXPECT_EQ(load()->sso_endpoint_url, "http://o");
  m_environment["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:9";
  EXPECT_EQ(load()->sts_endpoint_url, "http://127.0.0.1:9");
  EXPECT_EQ(load()->s3_endpoint_url, "http://profile");
}

TEST_F(AwsProfileTest, ProfileMayIgnoreEndpointsToo) {
  write("config", "[default]\nendpoint_url = http://profile\nignore_configured_endpoint_urls = true\n");
  EXPECT_EQ(load()->s3_endpoint_url, "");
  m_environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false";
  EXPECT_EQ(load()->s3_endpoint_url, "http://profile");
}

TEST_F(AwsProfileTest, VariantOfTheEndpointsComesFromTheEnvironmentThenFromTheProfile) {
  EXPECT_FALSE(load()->variant.dual_stack);
  EXPECT_FALSE(load()->variant.fips);
  write("config",
        "[default]\nuse_dualstack_endpoint = true\nuse_fips_endpoint = TRUE\ns3 =\n  addressing_style = path\n");
  EXPECT_TRUE(load()->variant.dual_stack);
  EXPECT_TRUE(load()->variant.fips);
  EXPECT_EQ(load()->addressing, "path");
  m_environment["AWS_USE_DUALSTACK_ENDPOINT"] = "false";
  m_environment["AWS_USE_FIPS_ENDPOINT"] = "no";
  EXPECT_FALSE(load()->variant.dual_stack);
  EXPECT_FALSE(load()->variant.fips);
}

TEST_F(AwsProfileTest, CredentialsFileGoesBeforeTheConfigFile) {
  write("config", "[profile both]\nregion = a\nrole_arn = config\n");
  write("credentials", "[both]\nrole_arn = credentials\n");
  const auto profile = load("both");
  EXPECT_EQ(profile->entries.get("role_arn"), "credentials");
  EXPECT_EQ(profile->entries.get("region"), "a");
  EXPECT_EQ(profile->entries.get("output"), "");
}

TEST_F(AwsProfileTest, FilesCanBeElsewhere) {
  write("other", "[default]\nregion = x\nca_bundle = /ca.pem\n");
  m_environment["AWS_CONFIG_FILE"] = m_home / ".aws/other";
  EXPECT_EQ(load()->region, "x");
  EXPECT_EQ(load()->ca_bundle, "/ca.pem");
  m_environment["AWS_CA_BUNDLE"] = "/mine.pem";
  EXPECT_EQ(load()->ca_bundle, "/mine.pem");
}

TEST_F(AwsProfileTest, FileThatIsADirectoryIsAnError) {
  std::filesystem::create_directories(m_home / ".aws/config");
  EXPECT_FALSE(load().ok());
}

TEST_F(AwsProfileTest, HugeFileIsAnError) {
  write("config", "[default]\nregion = " + std::string(k_max_aws_config_file, 'x') + "\n");
  EXPECT_TRUE(load().failed_with(ErrorKind::invalid));
}

}  // namespace
}  // namespace repoupdate
