// SPDX-License-Identifier: Apache-2.0
#include "model/object_store.hpp"

namespace repoupdate {

Result<UploadPage> ObjectStore::list_uploads(std::string_view, std::string_view) {
  return UploadPage{};
}

Result<void> ObjectStore::drop_upload(const PendingUpload&) {
  return {};
}

Error unreadable_body(Error error) {
  if (error.kind == ErrorKind::precondition_failed) error.kind = ErrorKind::unavailable;
  return error;
}

Result<void> check_sha256_given(std::string_view key, const PutOptions& options) {
  constexpr std::size_t k_hex_digits = 64;
  if (options.sha256.size() == k_hex_digits &&
      options.sha256.find_first_not_of("0123456789abcdef") == std::string::npos)
    return {};
  return Error{ErrorKind::invalid, std::string(key) + ": the SHA-256 of what is to be put is not known", {}};
}

}  // namespace repoupdate
