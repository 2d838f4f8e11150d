// SPDX-License-Identifier: Apache-2.0
// A GNUPGHOME with keys for tests. Its agent ends with it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/child_process.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {

struct SampleKey {
  std::string algorithm = "ed25519";
  std::string usage = "sign";
  std::string expires = "never";
  std::string made{};  // "20200101T000000"; empty: now
  std::string passphrase{};
};

class SampleGpgHome {
public:
  ~SampleGpgHome() { EXPECT_TRUE(run({"gpgconf", "--homedir", path(), "--kill", "all"}).ok()); }
  SampleGpgHome() = default;
  SampleGpgHome(const SampleGpgHome&) = delete;
  SampleGpgHome& operator=(const SampleGpgHome&) = delete;

  const std::string& path() const { return m_directory.path(); }

  // Its fingerprint.
  std::string make_key(const std::string& name, const SampleKey& key = {}) {
    std::vector<std::string> words;
    if (!key.made.empty()) words = {"--faked-system-time", key.made};
    words.insert(words.end(), {"--pinentry-mode", "loopback", "--passphrase", key.passphrase, "--quick-gen-key", name,
                               key.algorithm, key.usage, key.expires});
    gpg(words);
    const std::string listing = gpg({"--with-colons", "--list-keys", '=' + name});
    const auto line = listing.find("\nfpr:");
    return line == std::string::npos ? "" : listing.substr(line + 13, 40);
  }
  // A subkey that signs.
  void add_part(const std::string& fingerprint, const std::string& expires) const {
    gpg({"--pinentry-mode", "loopback", "--passphrase", "", "--quick-add-key", fingerprint, "ed25519", "sign",
         expires});
  }
  std::string public_key(const std::string& fingerprint) const { return gpg({"--armor", "--export", fingerprint}); }
  std::string secret_key(const std::string& fingerprint, const std::string& passphrase = {}) const {
    return gpg(
        {"--armor", "--pinentry-mode", "loopback", "--passphrase", passphrase, "--export-secret-keys", fingerprint});
  }
  // With the certificate that gpg makes along with each key, whose armor it has disabled by a colon.
  void revoke(const std::string& fingerprint) const {
    std::ifstream file(path() + "/openpgp-revocs.d/" + fingerprint + ".rev");
    std::string certificate, line;
    while (std::getline(file, line)) certificate += (line.starts_with(":---") ? line.substr(1) : line) + '\n';
    import_keys(certificate);
  }
  void import_keys(const std::string& keys) const { gpg({"--import", m_directory.write("keys", keys)}); }

  // As gpg says; `or_unknown`: further signatures may be by keys that are not there.
  bool verifies(const std::string& bytes, const std::string& signature, bool or_unknown = false) const {
    const auto status = run({"gpg", "--homedir", path(), "--batch", "--status-fd", "1", "--verify",
                             m_directory.write("signature", signature), m_directory.write("bytes", bytes)},
                            or_unknown);
    return status.ok() && status->find("[GNUPG:] GOODSIG") != std::string::npos &&
           status->find("[GNUPG:] BADSIG") == std::string::npos;
  }

private:
  static Result<std::string> run(std::vector<std::string> words, bool whatever_it_ends_with = false) {
    if (whatever_it_ends_with) {
      words.insert(words.begin(), {"sh", "-c", "\"$@\"; true", "sh"});
    }
    return run_child(words, {.time = std::chrono::minutes(2), .output = 1 << 20});
  }
  std::string gpg(std::vector<std::string> words) const {
    words.insert(words.begin(), {"gpg", "--homedir", path(), "--batch", "--yes", "--quiet"});
    const auto output = run(words);
    EXPECT_TRUE(output.ok()) << words[6] << ": " << (output ? "" : output.error().text());
    return output ? *output : "";
  }

  ScratchDirectory m_directory;
};

}  // namespace repoupdate
