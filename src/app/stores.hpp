// SPDX-License-Identifier: Apache-2.0
// Makes the doors that the settings describe: one store for each bucket or directory, one source for each queue.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "app/settings.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "model/event_source.hpp"
#include "model/object_store.hpp"
#include "model/repository_location.hpp"

namespace repoupdate {

class RequestMeter;

// Thread-safe. What it hands out lives as long as it does. AWS files and credentials are looked at only when a
// bucket or a queue is asked for.
class Stores {
public:
  // `stop` ends what is under way in a bucket or a queue. All references must outlive it. What is found out about stores
  // is kept in files below `cache_directory`.
  Stores(const AwsSettings& aws, const std::string& cache_directory, Clock& clock, const Log& log, MetricTable& metrics,
         std::stop_token stop);
  ~Stores();
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;

  // Ends what is under way, as `stop` does; nothing can be asked of them afterwards.
  void abandon();

  Result<ObjectStore*> open(const RepositoryLocation& location);
  Result<std::unique_ptr<EventSource>> queue(const QueueSettings& queue, Duration visibility);
  Result<std::unique_ptr<EventSource>> watch(std::vector<std::string> directories);

private:
  struct Aws;
  struct State;
  Result<Aws*> aws();
  RequestMeter* meter(const std::string& name);
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
