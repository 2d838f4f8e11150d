// SPDX-License-Identifier: Apache-2.0
// What S3 answers, read into values. Source: "Actions", Amazon S3 API Reference.
// What is malformed is ErrorKind::corrupt: half an answer never passes for a small one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/http.hpp"
#include "io/s3_request.hpp"
#include "model/object.hpp"

namespace repoupdate {

// The part of an object that a 206 carries: "bytes FIRST-LAST/SIZE".
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;  // of the whole object
};
Result<ContentRange> parse_content_range(std::string_view header);

// Size, ETag, Last-Modified and SHA-256 from the headers of an answer to HEAD or GET.
//
// The SHA-256 is S3's checksum when that covers the whole object (type FULL_OBJECT; without a type, when neither
// the checksum nor the ETag ends in "-N" as those of multipart uploads do), else the record that this program
// left with its upload. CopyObject copies the record, and it stays true as the bytes are the same.
// unavailable when it has no Content-Length, ETag or Last-Modified: no object answered that.
Result<ObjectInfo> parse_object_info(std::string_view key, const HttpResponse& response);

// Keys decoded where the store says that it encoded them.
Result<ListPage> parse_list_objects(const std::string& body);

// The same of ListMultipartUploads.
Result<UploadPage> parse_list_uploads(const std::string& body);

Result<std::string> parse_upload_id(const std::string& body);

// CompleteMultipartUpload and copies may answer 200 and mean a failure: the answer says how it ended only in its
// body. The errors are aws_error()'s, or corrupt when it is neither a success nor an error.
Result<void> check_completed(std::string_view subject, std::string_view action, const HttpResponse& response);

// What the completion of the upload says of a part. Some stores (Swift) refuse checksums there that they do not know.
SentPart sent_part(const HttpResponse& answer, const std::string& sha256);

}  // namespace repoupdate
