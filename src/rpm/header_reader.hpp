// SPDX-License-Identifier: Apache-2.0
// librpm behind RAII: the bytes of an RPM file up to the end of its header become a checked `Header`.
#pragma once

#include <rpm/header.h>

#include <memory>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"
#include "rpm/header_range.hpp"

namespace repoupdate {

struct FreeHeader {
  void operator()(Header header) const { headerFree(header); }
};
using HeaderPtr = std::unique_ptr<std::remove_pointer_t<Header>, FreeHeader>;

// librpm's configuration, which the first header waits for otherwise: some milliseconds. Any thread, any number of times.
void prepare_librpm();

// `head` is the file's bytes [0, range.end), exactly, and `range` what probe_header said about them. The header's
// digest in the signature is verified where there is one; signatures are not, since that needs keys and is the
// client's business. ErrorKind::corrupt when a tag has an impossible type, lists that belong together
// differ in length, or librpm refuses the header,
// ErrorKind::io when memory cannot be had.
Result<HeaderPtr> read_header(std::string_view head, const HeaderRange& range);

}  // namespace repoupdate
