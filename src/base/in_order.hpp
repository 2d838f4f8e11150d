// SPDX-License-Identifier: Apache-2.0
// Work on a sequence by several threads, between a beginning and an end that keep its order.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

#include "base/parallel.hpp"
#include "base/result.hpp"

namespace repoupdate {

// `take()` gives the next item (Result<std::optional<Item>>; nothing at the end), `make_work()` makes a function for
// each thread (Item -> Result<Product>), `put(Product)` gets the products in the order of the items (Result<void>).
// take and put are called by one thread at a time, each, and beside each other. At most `threads` items are in memory,
// the caller's thread is one of them. Ends with the first failure in the order of the items, if any.
template <typename Take, typename MakeWork, typename Put>
Result<void> process_in_order(std::size_t threads, Take take, MakeWork make_work, Put put) {
  using Taken = decltype(take());
  std::mutex taking, putting;
  std::condition_variable turn;
  std::size_t taken = 0, done = 0;
  bool ended = false;            // guarded by taking
  std::optional<Error> failure;  // guarded by putting

  const auto drain = [&] {
    auto work = make_work();
    using Made = decltype(work(std::move(**std::declval<Taken&>())));
    for (;;) {
      std::unique_lock take_lock(taking);
      if (ended) return;
      Taken item = take();
      ended = !item || !*item;
      if (item && !*item) return;
      const std::size_t number = taken++;
      take_lock.unlock();

      Made product = item ? work(std::move(**item)) : Made(std::move(item).error());

      std::unique_lock put_lock(putting);
      turn.wait(put_lock, [&] { return done == number || failure; });
      if (failure) return;
      if (!product) {
        failure = std::move(product).error();
      } else if (auto accepted = put(*std::move(product)); !accepted) {
        failure = std::move(accepted).error();
      }
      ++done;
      turn.notify_all();
      if (failure) {
        put_lock.unlock();
        const std::scoped_lock stop(taking);
        ended = true;
        return;
      }
    }
  };

  {
    const auto helpers = start_helpers(std::max<std::size_t>(threads, 1) - 1, drain);
    drain();
  }
  if (failure) return *std::move(failure);
  return {};
}

}  // namespace repoupdate
