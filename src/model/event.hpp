// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace repoupdate {

// What acknowledges one message at its source. Handles change with each delivery: the newest one counts.
struct Receipt {
  std::string source;      // EventSource::name()
  std::string message_id;  // stable over redeliveries
  std::string handle;

  bool operator==(const Receipt&) const = default;
};

// "Look at this key." It does not say what happened: events repeat, come late and in any order, and the
// object as it is now decides (semantics 4). That the message told of a removal saves a second look, no more.
struct Event {
  std::string bucket;   // the store: a bucket's name, or a directory's absolute path
  std::string key;      // decoded as its message's shape says
  std::string raw_key;  // as it stood in the message, tried when `key` is not there; may equal key
  bool said_gone = false;
};

// One message and what it named. A message without events (s3:TestEvent, foreign text) still has to be
// acknowledged.
struct Delivery {
  Receipt receipt;
  std::vector<Event> events;
  std::string problem;  // why the body could not be read, empty when it could
  std::string excerpt;  // with a problem: the body or its beginning, printable, for whoever has to find out
  int receives = 0;     // how often it was delivered, this time included; 0: the source does not tell
  bool has_dead_letter_queue = false;  // the source itself moves away what is never acknowledged
};

}  // namespace repoupdate
