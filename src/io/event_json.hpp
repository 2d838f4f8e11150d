// SPDX-License-Identifier: Apache-2.0
// The body of a message becomes the keys to look at. Understood are:
//   - the S3 event notification (`Records[].s3`), also as Ceph RGW and MinIO write it,
//   - the same within an SNS notification, and raw SNS delivery, which is the S3 notification itself,
//   - an EventBridge event whose detail names an object,
//   - an SQS event as Lambda receives it (`Records[]` with eventSource "aws:sqs"), around any of these.
// Which key matters to whom is not decided here: every key that is named is returned.
// Sources: "Event message structure" and "Using EventBridge", Amazon S3 User Guide; "Amazon SNS message and
// JSON formats"; "Using Lambda with Amazon SQS"; Ceph "S3 bucket notifications compatibility".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_event_body = 1'048'576;  // bytes: the largest message SQS carries
inline constexpr int k_max_event_nesting = 32;              // JSON arrays and objects within each other
inline constexpr int k_max_event_envelopes = 3;             // messages within messages
inline constexpr std::size_t k_max_event_key = 1024;        // bytes, decoded: the longest key S3 allows
inline constexpr std::size_t k_event_excerpt = 2'000;       // bytes of a body that could not be read, for the log

struct ParsedBody {
  std::vector<Event> events;  // what could be read, in the order of the message
  // What could not, in one printable line: why there are no events, or which record is missing among them.
  // Empty for s3:TestEvent, which is understood and names nothing.
  std::string problem;
  // The body has the shape of an event message, whether or not each record could be read.
  bool is_message = false;
};

// The beginning of foreign text in quotes, printable ASCII alone, at most `most` bytes of it: fit for a log.
std::string printable_excerpt(std::string_view text, std::size_t most);

// Never fails as a whole: a record that cannot be read costs its neighbours nothing.
ParsedBody parse_event_body(std::string_view body);

}  // namespace repoupdate
