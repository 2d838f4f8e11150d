// SPDX-License-Identifier: Apache-2.0
#include "io/gpg_engine.hpp"

#include <gpgme.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>

namespace repoupdate {
namespace {

constexpr std::size_t k_max_output = 1 << 20;  // bytes of a signature or a key

using Context = std::unique_ptr<std::remove_pointer_t<gpgme_ctx_t>, decltype(&gpgme_release)>;
using Data = std::unique_ptr<std::remove_pointer_t<gpgme_data_t>, decltype(&gpgme_data_release)>;
using Key = std::unique_ptr<std::remove_pointer_t<gpgme_key_t>, decltype(&gpgme_key_unref)>;

ErrorKind kind_of(gpgme_error_t failure) {
  const gpg_err_code_t code = gpgme_err_code(failure);
  if (code == GPG_ERR_BAD_PASSPHRASE || code == GPG_ERR_NO_PIN_ENTRY || code == GPG_ERR_EACCES)
    return ErrorKind::denied;
  if (code == GPG_ERR_INV_ENGINE || code == GPG_ERR_NO_SECKEY || code == GPG_ERR_NO_PUBKEY) return ErrorKind::not_found;
  return ErrorKind::io;
}

Error gpg_error(gpgme_error_t failure, const std::string& what) {
  std::array<char, 256> words{};
  gpgme_strerror_r(failure, words.data(), words.size());
  const bool is_missing = gpgme_err_code(failure) == GPG_ERR_INV_ENGINE;
  return {kind_of(failure), what + ": GnuPG says: " + words.data() + (is_missing ? " (is gpg installed?)" : ""), {}};
}

// gpgme wants to be asked for its version before anything else.
bool is_prepared() {
  static const bool prepared =
      gpgme_check_version(nullptr) != nullptr && gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP) == 0;
  return prepared;
}

Result<Context> open_context(const std::string& home) {
  if (!is_prepared()) return gpg_error(gpgme_error(GPG_ERR_INV_ENGINE), "signatures");
  gpgme_ctx_t raw = nullptr;
  if (const auto failure = gpgme_new(&raw)) return gpg_error(failure, "signatures");
  Context context(raw, &gpgme_release);
  const auto failure =
      gpgme_ctx_set_engine_info(raw, GPGME_PROTOCOL_OpenPGP, nullptr, home.empty() ? nullptr : home.c_str());
  if (failure) return gpg_error(failure, home);
  gpgme_set_armor(raw, 1);
  gpgme_set_offline(raw, 1);
  return context;
}

// The bytes are not copied and must stay.
Result<Data> data_of(std::string_view bytes) {
  gpgme_data_t raw = nullptr;
  if (const auto failure = gpgme_data_new_from_mem(&raw, bytes.data(), bytes.size(), 0))
    return gpg_error(failure, "signatures");
  return Data(raw, &gpgme_data_release);
}

Result<Data> no_data() {
  gpgme_data_t raw = nullptr;
  if (const auto failure = gpgme_data_new(&raw)) return gpg_error(failure, "signatures");
  return Data(raw, &gpgme_data_release);
}

Result<std::string> text_of(gpgme_data_t data) {
  std::string text;
  std::array<char, 4096> buffer{};
  gpgme_data_seek(data, 0, SEEK_SET);
  for (;;) {
    const auto count = gpgme_data_read(data, buffer.data(), buffer.size());
    if (count < 0) return Error{ErrorKind::io, "what GnuPG wrote cannot be read", {}};
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > k_max_output) return Error{ErrorKind::invalid, "GnuPG wrote more than 1 MiB", {}};
  }
}

// Cancels what a context does when the time is over or somebody wants to stop.
class Deadline {
public:
  Deadline(gpgme_ctx_t context, Duration time, std::stop_token stop)
      : m_thread([this, context, time, stop = std::move(stop)](std::stop_token done) {
          watch(context, std::chrono::steady_clock::now() + time, stop, done);
        }) {}

  // The failure of an operation that may have been cancelled; call it once the operation has returned.
  Error error(gpgme_error_t failure, const std::string& what) {
    m_thread = {};
    if (!m_reason) return gpg_error(failure, what);
    return {*m_reason, what + (*m_reason == ErrorKind::cancelled ? ": stopped" : ": GnuPG did not answer in time"), {}};
  }

private:
  void watch(gpgme_ctx_t context, std::chrono::steady_clock::time_point give_up, const std::stop_token& stop,
             const std::stop_token& done) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    while (!done.stop_requested()) {
      changed.wait_for(lock, done, std::chrono::milliseconds(20), [] { return false; });
      const bool is_late = std::chrono::steady_clock::now() >= give_up;
      if (done.stop_requested() || (!is_late && !stop.stop_requested())) continue;
      m_reason = is_late ? ErrorKind::timed_out : ErrorKind::cancelled;
      gpgme_cancel_async(context);
      return;
    }
  }

  std::optional<ErrorKind> m_reason;
  std::jthread m_thread;
};

std::string text_or_empty(const char* text) {
  return text ? text : "";
}

std::optional<SystemTime> time_unless_0(long seconds) {
  return seconds == 0 ? std::nullopt : std::optional(SystemTime(std::chrono::seconds(seconds)));
}

GpgKey describe(const _gpgme_key& key) {
  GpgKey described;
  described.is_expired = key.expired;
  described.is_revoked = key.revoked || key.disabled;
  if (key.uids) described.user_id = text_or_empty(key.uids->uid);
  for (const auto* subkey = key.subkeys; subkey; subkey = subkey->next)
    described.subkeys.push_back({text_or_empty(subkey->fpr), text_or_empty(gpgme_pubkey_algo_name(subkey->pubkey_algo)),
                                 subkey->length, subkey->can_sign && !subkey->revoked && !subkey->disabled,
                                 static_cast<bool>(subkey->expired), time_unless_0(subkey->expires)});
  if (!described.subkeys.empty()) described.fingerprint = described.subkeys.front().fingerprint;
  return described;
}

std::string problem_of(const _gpgme_signature& signature) {
  const gpg_err_code_t code = gpgme_err_code(signature.status);
  if (code == GPG_ERR_NO_ERROR) return {};
  if (code == GPG_ERR_BAD_SIGNATURE) return "is of other bytes";
  if (code == GPG_ERR_KEY_EXPIRED) return "is by a key that has expired";
  if (code == GPG_ERR_CERT_REVOKED) return "is by a key that was revoked";
  if (code == GPG_ERR_SIG_EXPIRED) return "has expired";
  if (code == GPG_ERR_NO_PUBKEY) return "is by an unknown key";
  std::array<char, 256> words{};
  gpgme_strerror_r(signature.status, words.data(), words.size());
  return std::string("cannot be checked: ") + words.data();
}

// Asked once; a second question means that the answer was wrong.
gpgme_error_t give_passphrase(void* passphrase, const char*, const char*, int was_bad, int descriptor) {
  if (was_bad) return gpgme_error(GPG_ERR_BAD_PASSPHRASE);
  const std::string line = *static_cast<const std::string*>(passphrase) + '\n';
  return gpgme_io_writen(descriptor, line.data(), line.size()) == 0 ? 0 : gpgme_error_from_errno(errno);
}

}  // namespace

Result<std::vector<GpgKey>> GpgEngine::keys(Ring ring, const std::string& pattern) const {
  auto context = open_context(m_home);
  if (!context) return std::move(context).error();
  const std::string what = pattern.empty() ? "listing keys" : "looking for key " + pattern;
  Deadline deadline(context->get(), m_deadline, {});
  auto failure = gpgme_op_keylist_start(context->get(), pattern.empty() ? nullptr : pattern.c_str(),
                                        ring == Ring::secret_keys ? 1 : 0);
  std::vector<GpgKey> found;
  while (!failure) {
    gpgme_key_t raw = nullptr;
    failure = gpgme_op_keylist_next(context->get(), &raw);
    if (failure) break;
    const Key key(raw, &gpgme_key_unref);
    found.push_back(describe(*key));
  }
  if (gpgme_err_code(failure) == GPG_ERR_EOF) return found;
  return deadline.error(failure, what);
}

Result<void> GpgEngine::import_keys(std::string_view bytes) const {
  auto context = open_context(m_home);
  if (!context) return std::move(context).error();
  const auto data = data_of(bytes);
  if (!data) return data.error();
  Deadline deadline(context->get(), m_deadline, {});
  if (const auto failure = gpgme_op_import(context->get(), data->get()))
    return deadline.error(failure, "importing keys");
  const auto* imported = gpgme_op_import_result(context->get());
  if (imported && imported->considered > 0) return {};
  return Error{ErrorKind::invalid, "there is no OpenPGP key in it", {}};
}

Result<std::string> GpgEngine::export_key(const std::string& fingerprint) const {
  auto context = open_context(m_home);
  if (!context) return std::move(context).error();
  const auto data = no_data();
  if (!data) return data.error();
  Deadline deadline(context->get(), m_deadline, {});
  const auto failure = gpgme_op_export(context->get(), fingerprint.c_str(), GPGME_EXPORT_MODE_MINIMAL, data->get());
  if (failure) return deadline.error(failure, "exporting key " + fingerprint);
  return text_of(data->get());
}

Result<std::string> GpgEngine::sign(std::string_view bytes, std::span<const std::string> fingerprints,
                                    const std::optional<std::string>& passphrase, std::stop_token stop) const {
  auto context = open_context(m_home);
  if (!context) return std::move(context).error();
  for (const auto& fingerprint : fingerprints) {
    gpgme_key_t raw = nullptr;
    if (const auto failure = gpgme_get_key(context->get(), fingerprint.c_str(), &raw, 1))
      return gpg_error(failure, "secret key " + fingerprint);
    const Key key(raw, &gpgme_key_unref);
    if (const auto failure = gpgme_signers_add(context->get(), raw)) return gpg_error(failure, "key " + fingerprint);
  }
  if (passphrase) {
    gpgme_set_pinentry_mode(context->get(), GPGME_PINENTRY_MODE_LOOPBACK);
    gpgme_set_passphrase_cb(context->get(), &give_passphrase, const_cast<std::string*>(&*passphrase));
  }
  const auto plain = data_of(bytes);
  if (!plain) return plain.error();
  const auto signature = no_data();
  if (!signature) return signature.error();
  Deadline deadline(context->get(), m_deadline, std::move(stop));
  const auto failure = gpgme_op_sign(context->get(), plain->get(), signature->get(), GPGME_SIG_MODE_DETACH);
  if (failure) return deadline.error(failure, "signing");
  return text_of(signature->get());
}

Result<std::vector<GpgSignature>> GpgEngine::signatures(std::string_view bytes, std::string_view signature) const {
  auto context = open_context(m_home);
  if (!context) return std::move(context).error();
  const auto made = data_of(signature);
  if (!made) return made.error();
  const auto plain = data_of(bytes);
  if (!plain) return plain.error();
  Deadline deadline(context->get(), m_deadline, {});
  const auto failure = gpgme_op_verify(context->get(), made->get(), plain->get(), nullptr);
  std::vector<GpgSignature> found;
  if (gpgme_err_code(failure) == GPG_ERR_NO_DATA || gpgme_err_code(failure) == GPG_ERR_BAD_DATA) return found;
  if (failure) return deadline.error(failure, "checking a signature");
  const auto* result = gpgme_op_verify_result(context->get());
  for (const auto* each = result ? result->signatures : nullptr; each; each = each->next)
    found.push_back(
        {text_or_empty(each->fpr), text_or_empty(gpgme_hash_algo_name(each->hash_algo)), problem_of(*each)});
  return found;
}

}  // namespace repoupdate
