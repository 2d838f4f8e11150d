// SPDX-License-Identifier: Apache-2.0
// Many bytes as a multipart upload: all its parts arrive and it appears at once, or nothing is left behind.
// Source: "Uploading and copying objects using multipart upload" and "multipart upload limits", Amazon S3 User
// Guide.
#pragma once

#include <cstdint>
#include <string_view>

#include "io/s3_caller.hpp"
#include "io/s3_request.hpp"
#include "model/object_store.hpp"
#include "model/stored_bytes.hpp"

namespace repoupdate {

inline constexpr std::uint64_t k_min_part_size = 16ULL << 20;
inline constexpr std::uint64_t k_max_parts = 10'000;  // of one upload

// k_min_part_size, or as many MiB as keep the number of parts within k_max_parts.
std::uint64_t part_size_of(std::uint64_t size);

// The body is read once to compare it with `options.sha256` (ErrorKind::corrupt when it differs), and what is then
// sent must have the digests found there: the store verifies them. When the upload fails it is aborted, also when
// we were asked to stop.
UploadOutcome upload_in_parts(const S3Caller& caller, std::string_view key, const StoredBytes& body,
                              const PutOptions& options, ETagStyle style, const UploadProgress& progress);

// AbortMultipartUpload, also when the caller is stopped. Ended already is success.
Result<void> abort_upload(const S3Caller& caller, std::string_view key, const std::string& upload_id);

}  // namespace repoupdate
