// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace repoupdate {

// Makes memory go back to the system as soon as the allocator has no more use for it: a row of 8 KiB pages, which is
// any buffer above 256 KiB, or pages whose last small piece was freed. Else it would keep all that was ever needed. For
// a program's main(), once. Does nothing in a build with sanitizers, which have allocators of their own.
// Source: gperftools, malloc_extension.h, "tcmalloc.aggressive_memory_decommit".
void return_memory_at_once();

// The calling thread gives back what it has kept of freed memory for its next allocations, up to some MiB. For a thread
// that is about to wait, maybe for hours; the next allocation takes some microseconds more. Does nothing in a build with
// sanitizers.
// Source: gperftools, malloc_extension.h, MarkThreadIdle.
void return_thread_memory();

}  // namespace repoupdate
