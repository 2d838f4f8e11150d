// SPDX-License-Identifier: Apache-2.0
#include "io/command_signer.hpp"

#include <utility>

#include "io/child_process.hpp"

namespace repoupdate {

Result<std::unique_ptr<Signer>> CommandSigner::open(CommandSignerOptions options) {
  auto ring = PublicKeyRing::open(std::move(options.public_keys), std::move(options.fingerprints), options.deadline);
  if (!ring) return std::move(ring.error()).within("sign_public_key");
  return std::unique_ptr<Signer>(new CommandSigner(std::move(options.command), options.deadline, *std::move(ring)));
}

Result<std::string> CommandSigner::sign(std::string_view bytes, std::stop_token stop) {
  if (m_command.empty())
    return Error{ErrorKind::invalid,
                 "sign_public_key alone is for checking signatures: set sign_key, sign_key_file or sign_command",
                 {}};
  std::string complaints;
  auto signature = run_child(m_command, {.time = m_deadline, .output = k_max_command_output, .stop = std::move(stop)},
                             {.input = bytes, .complaints = &complaints});
  const std::string words = without_secrets(complaints);
  const std::string says = words.empty() ? "" : "; it says: " + words;
  if (!signature) {
    Error error = std::move(signature).error().within("sign_command");
    error.message += says;
    return error;
  }
  if (signature->find("-----BEGIN PGP SIGNATURE-----") == std::string::npos)
    return Error{ErrorKind::invalid, "sign_command: '" + m_command[0] + "' wrote no armored signature" + says, {}};
  if (auto good = m_ring->check(bytes, *signature); !good) {
    if (good.failed_with(ErrorKind::corrupt)) good.error().kind = ErrorKind::invalid;
    return std::move(good.error()).within("sign_command: '" + m_command[0] + "' wrote a signature that is refused");
  }
  return signature;
}

}  // namespace repoupdate
