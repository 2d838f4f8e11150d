// SPDX-License-Identifier: Apache-2.0
#include "app/signers.hpp"

#include <fcntl.h>

#include <utility>

#include "io/child_process.hpp"
#include "io/command_signer.hpp"
#include "io/gpg_signer.hpp"
#include "io/posix_file.hpp"
#include "io/public_key_ring.hpp"

namespace repoupdate {
namespace {

Error wrong(const std::string& what) {
  return {ErrorKind::invalid, what, {}};
}

Result<std::string> read_file(const std::string& key, const std::string& path) {
  const std::string what = key + " = \"" + path + '"';
  const auto file = open_file(path, O_RDONLY, what);
  if (!file) return file.error();
  std::string bytes(k_max_key_file + 1, '\0');
  const auto size = read_at(*file, 0, bytes, what);
  if (!size) return size.error();
  bytes.resize(*size);
  if (bytes.empty()) return wrong(what + ": the file is empty");
  if (bytes.size() > k_max_key_file) return wrong(what + ": the file is larger than 1 MiB");
  return bytes;
}

// What is set must go together.
Result<void> check_together(const RepositorySettings& settings) {
  const bool by_command = !settings.sign_command.empty();
  if (by_command && !(settings.sign_key_file + settings.sign_passphrase_file + settings.sign_gnupghome).empty())
    return wrong(
        "sign_command has the key in its own keeping: it goes with none of sign_key_file, "
        "sign_passphrase_file and sign_gnupghome");
  if (by_command && settings.sign_public_key.empty())
    return wrong("sign_command needs sign_public_key: what it writes is checked before it is put");
  if (!settings.sign_key_file.empty() && !settings.sign_gnupghome.empty())
    return wrong("sign_key_file and sign_gnupghome are both set: keep one");
  const bool by_gnupg = !settings.sign_key.empty() || !settings.sign_key_file.empty();
  if (!by_gnupg && !(settings.sign_passphrase_file + settings.sign_gnupghome).empty())
    return wrong("sign_passphrase_file and sign_gnupghome need sign_key or sign_key_file");
  return {};
}

Result<std::unique_ptr<Signer>> open_command(const RepositorySettings& settings,
                                             std::vector<std::string> fingerprints) {
  CommandSignerOptions options{.fingerprints = std::move(fingerprints), .deadline = settings.sign_timeout};
  auto words = split_command(settings.sign_command);
  if (!words) return wrong("sign_command: a quote is not closed");
  options.command = *std::move(words);
  auto keys = read_file("sign_public_key", settings.sign_public_key);
  if (!keys) return std::move(keys).error();
  options.public_keys = *std::move(keys);
  return CommandSigner::open(std::move(options));
}

Result<std::unique_ptr<Signer>> open_gnupg(const RepositorySettings& settings, std::vector<std::string> fingerprints) {
  GpgSignerOptions options{
      .fingerprints = std::move(fingerprints), .home = settings.sign_gnupghome, .deadline = settings.sign_timeout};
  if (!settings.sign_key_file.empty()) {
    auto keys = read_file("sign_key_file", settings.sign_key_file);
    if (!keys) return std::move(keys).error();
    options.secret_keys = *std::move(keys);
  }
  if (!settings.sign_passphrase_file.empty()) {
    auto text = read_file("sign_passphrase_file", settings.sign_passphrase_file);
    if (!text) return std::move(text).error();
    options.passphrase = text->substr(0, text->find_first_of("\r\n"));
  }
  if (!settings.sign_public_key.empty()) {
    auto keys = read_file("sign_public_key", settings.sign_public_key);
    if (!keys) return std::move(keys).error();
    options.public_keys = *std::move(keys);
  }
  return GpgSigner::open(std::move(options));
}

}  // namespace

Result<Signer*> Signers::open(const RepositorySettings& settings) {
  std::string described;
  for (const auto* each : {&settings.sign_key, &settings.sign_key_file, &settings.sign_passphrase_file,
                           &settings.sign_gnupghome, &settings.sign_command, &settings.sign_public_key})
    described += *each + '\n';
  if (described.find_first_not_of('\n') == std::string::npos) return nullptr;
  if (auto together = check_together(settings); !together) return std::move(together).error();
  const std::scoped_lock lock(m_mutex);
  auto& signer = m_signers[described + to_string(settings.sign_timeout)];
  if (signer) return signer.get();
  auto fingerprints = parse_fingerprints(settings.sign_key);
  if (!fingerprints) return std::move(fingerprints.error()).within("sign_key");
  const bool by_gnupg = settings.sign_command.empty() && !(settings.sign_key.empty() && settings.sign_key_file.empty());
  auto opened =
      by_gnupg ? open_gnupg(settings, *std::move(fingerprints)) : open_command(settings, *std::move(fingerprints));
  if (!opened) return std::move(opened).error();
  signer = *std::move(opened);
  return signer.get();
}

}  // namespace repoupdate
