// SPDX-License-Identifier: Apache-2.0
// The door through which events come: a queue, a watched directory, a repeated listing.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/event.hpp"

namespace repoupdate {

class EventSource {
public:
  virtual ~EventSource() = default;

  virtual std::string name() const = 0;  // "sqs://queue", a directory; stands in receipts and logs

  // Waits for deliveries, at most `wait`; empty when none came. Returns early when a stop is requested. Where
  // messages come back (visibility), several threads may receive at the same time.
  virtual Result<std::vector<Delivery>> receive(Duration wait, std::stop_token stop) = 0;

  // Deletes the messages for good. Returns the receipts that could not be acknowledged (they will be
  // delivered again); an Error when none could.
  virtual Result<std::vector<Receipt>> acknowledge(std::span<const Receipt> receipts) = 0;

  // Keeps the messages hidden from other receivers for `duration` from now on. Best effort.
  virtual Result<void> extend(std::span<const Receipt> receipts, Duration duration) = 0;

  // How long a message stays hidden before it is delivered again; zero when messages do not come back.
  virtual Duration visibility() const = 0;
};

}  // namespace repoupdate
