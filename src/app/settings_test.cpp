// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "app/settings_reader.hpp"

namespace repoupdate {
namespace {

SettingsSources no_sources() {
  return {.config = {}, .environment = [](const std::string&) { return std::string(); }, .flags = {}};
}

Result<Settings> read(std::string_view toml) {
  return read_settings_text(toml, "r.toml", no_sources());
}

TEST(Settings, RepositoriesStartFromTheDefaultsWhereverTheseStand) {
  const auto settings = read(R"(
[[repository]]
url = "s3://b/el9"
quiet = "5s"
[[repository]]
url = "/srv/repo"
[defaults]
create = true
quiet = "250ms"
)");
  ASSERT_TRUE(settings.ok()) << settings.error().text();
  ASSERT_EQ(settings->repositories.size(), 2u);
  EXPECT_EQ(settings->repositories[0].quiet, std::chrono::seconds(5));
  EXPECT_EQ(settings->repositories[1].quiet, Duration(250));
  EXPECT_TRUE(settings->repositories[0].create);
}

TEST(Settings, EnvironmentBeatsTheFileAndFlagsBeatBoth) {
  SettingsSources sources = no_sources();
  sources.environment = [](const std::string& name) {
    if (name == "REPOUPDATE_AWS_REGION") return "from-env";
    if (name == "REPOUPDATE_DEFAULTS_QUIET") return "9s";
    return "";
  };
  sources.flags = {{"log", "format", "json"}};
  const auto settings =
      read_settings_text("[aws]\nregion='file'\n[log]\nformat='text'\n[[repository]]\nurl='/r'\n", "r.toml", sources);
  ASSERT_TRUE(settings.ok()) << settings.error().text();
  EXPECT_EQ(settings->aws.region, "from-env");
  EXPECT_EQ(settings->log.format, "json");
  EXPECT_EQ(settings->repositories[0].quiet, std::chrono::seconds(9));
}

TEST(Settings, MistakesNameFileLineAndKey) {
  const struct {
    const char* toml;
    const char* message;
  } cases[] = {
      {"[aws]\nregoin = 'x'", "r.toml:2: unknown key 'aws.regoin'"},
      {"\n[awz]\n", "r.toml:2: unknown section 'awz'"},
      {"[[repository]]\nurl='/r'\npoll='soon'", "r.toml:3: repository.poll = \"soon\": expected a duration"},
      {"[[repository]]\nurl='/r'\ncreate='yes'", "r.toml:3: key 'repository.create' has a value of the wrong type"},
      {"[[repository]]\nurl='/r'\ncompression='rar'", "expected one of keep, gz, zstd"},
      {"[aws]\nsse='rot13'", "aws.sse = \"rot13\": expected one of \"\", AES256, aws:kms, aws:kms:dsse"},
      {"[defaults]\nrequests=129", "expected a number from 1 to 128"},
      {"[defaults]\nurl='/r'", "unknown key 'defaults.url'"},
      {"[daemon]\nworkers = 0", "r.toml:2: daemon.workers = \"0\": expected a number from 1 to 64"},
      {"[[repository]]\ncreate=true", "r.toml:1: a [[repository]] without url"},
      {"[repository]\nurl='/r'", "has to be written as [[repository]]"},
      {"[[repository]]\nurl='/r'\n[[repository]]\nurl='/r'", "repository '/r' is configured twice"},
      {"[[repository]]\nurl='s3://bucket/r'\n[[repository]]\nurl='s3://bucket/r/'",
       "repository 's3://bucket/r/' is configured twice"},
      {"[aws", "r.toml:1: "},
  };
  for (const auto& c : cases) {
    const auto settings = read(c.toml);
    ASSERT_TRUE(settings.failed_with(ErrorKind::invalid)) << c.toml;
    EXPECT_NE(settings.error().message.find(c.message), std::string::npos) << settings.error().message;
  }
}

TEST(Settings, ListsAreArraysInTheFileAndHaveCommasElsewhere) {
  const auto settings = read("[[repository]]\nurl='/r'\nvendors=['Red Hat, Inc.', 'Fedora*']\narches=[]");
  ASSERT_TRUE(settings.ok()) << settings.error().text();
  const RepositorySettings& repository = settings->repositories[0];
  EXPECT_EQ(repository.vendors, (std::vector<std::string>{"Red Hat, Inc.", "Fedora*"}));
  EXPECT_TRUE(repository.arches.empty());
  const auto again = read(to_toml(*settings));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->repositories[0].vendors, repository.vendors);

  SettingsSources sources = no_sources();
  sources.environment = [](const std::string& name) {
    return std::string(name == "REPOUPDATE_DEFAULTS_ARCHES" ? "x86_64, noarch" : "");
  };
  const auto from_environment = read_settings_text("", "r.toml", sources);
  ASSERT_TRUE(from_environment.ok());
  EXPECT_EQ(from_environment->defaults.arches, (std::vector<std::string>{"x86_64", "noarch"}));
  for (const auto* wrong : {"arches='noarch'", "arches=[1]", "arches=['']"})
    EXPECT_FALSE(read("[[repository]]\nurl='/r'\n" + std::string(wrong)).ok()) << wrong;
}

TEST(Settings, EnvironmentNamesNoRepository) {
  SettingsSources sources = no_sources();
  sources.environment = [](const std::string& name) { return name == "REPOUPDATE_DEFAULTS_URL" ? "/r" : ""; };
  const auto settings = read_settings_text("", "r.toml", sources);
  ASSERT_TRUE(settings.failed_with(ErrorKind::invalid));
  EXPECT_NE(settings.error().message.find("REPOUPDATE_DEFAULTS_URL"), std::string::npos);
}

TEST(Settings, MisspeltVariablesAreTold) {
  const std::vector<std::string> names{"HOME",
                                       "REPOUPDATE",
                                       "REPOUPDATE_LOG_FORMAT",
                                       "REPOUPDATE_LOG_FROMAT",
                                       "REPOUPDATE_DEFAULTS_MAX_AGE",
                                       "REPOUPDATE_QUEUE_NAME",
                                       "AWS_REGOIN"};
  EXPECT_EQ(unknown_variables(names), (std::vector<std::string>{"REPOUPDATE_LOG_FROMAT", "REPOUPDATE_QUEUE_NAME"}));
}

TEST(Settings, ControlCharactersAreShownSoThatTheyReadBack) {
  const auto settings = read("[[queue]]\nname=\"a\\nb\\u0001\\u007f\\t\"\n");
  ASSERT_TRUE(settings.ok()) << settings.error().text();
  const auto again = read(to_toml(*settings));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->queues.at(0).name, "a\nb\x01\x7f\t");
}

TEST(Settings, WhatIsShownReadsBackTheSame) {
  const auto settings = read("[aws]\nregion='eu \"x\"'\n[[queue]]\nname='q'\n[[repository]]\nurl='/r'\npoll='90s'\n");
  ASSERT_TRUE(settings.ok()) << settings.error().text();
  const std::string shown = to_toml(*settings);
  const auto again = read(shown);
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(to_toml(*again), shown);
  EXPECT_EQ(again->repositories[0].poll, std::chrono::seconds(90));
}

TEST(Duration, NeedsAUnit) {
  EXPECT_EQ(parse_duration("250ms"), Duration(250));
  EXPECT_EQ(parse_duration("1d"), std::chrono::hours(24));
  EXPECT_EQ(parse_duration("0"), Duration(0));
  for (const char* text : {"", "5", "m", "-1s", "1.5s", "366d", "99999999999999999999s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(Settings, WhatIsWrongIsToldOnOneLine) {
  for (const char* text : {"[\"a\\nb\"]\n", "[aws]\n\"a\\u001bb\" = 1\n", "[log]\nlevel = \"a\\nb\"\n", "a\x01 = 1\n",
                           "[[repository]]\nurl='/a'\n[[repository]]\nurl='/a'\n"}) {
    const auto settings = read(text);
    ASSERT_TRUE(settings.failed_with(ErrorKind::invalid)) << text;
    for (const char c : settings.error().message) EXPECT_TRUE(c >= ' ' && c != '\x7f') << settings.error().message;
  }
}

TEST(Settings, SecretsAreNotShown) {
  const auto settings = read("[webhook]\nlisten='127.0.0.1:8042'\nsecret='s3cret'\nmax-receives=7\n");
  ASSERT_TRUE(settings.ok()) << settings.error().text();
  EXPECT_EQ(settings->webhook.secret, "s3cret");
  EXPECT_EQ(settings->webhook.max_receives, 7u);
  const std::string shown = to_toml(*settings);
  EXPECT_EQ(shown.find("s3cret"), std::string::npos);
  EXPECT_NE(shown.find("secret = \"(hidden)\""), std::string::npos);
  EXPECT_NE(to_toml(Settings{}).find("secret = \"\""), std::string::npos);
  const auto wrong = read("[webhook]\nsecret=42\n");
  ASSERT_TRUE(wrong.failed_with(ErrorKind::invalid));
  EXPECT_EQ(wrong.error().message.find("42"), std::string::npos) << wrong.error().message;
}

}  // namespace
}  // namespace repoupdate
