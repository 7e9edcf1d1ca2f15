// Whole messages on the wire, compressed or not.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "websocket/deflate.h"
#include "websocket/frame.h"

namespace ws::websocket {

// Appends a message in one frame, masked if `mask` is given. It is compressed if there is a `deflater` (permessage-deflate
// was agreed on) and the payload has at least `threshold` bytes: small ones grow more often than they shrink.
// Throws nothing but std::bad_alloc; then `out` may end with a part of it, and neither `out` nor `deflater` is of use.
void append_message(std::string& out, Opcode opcode, std::string_view payload, Deflater* deflater,
                    std::size_t threshold, std::optional<MaskKey> mask);

}  // namespace ws::websocket
