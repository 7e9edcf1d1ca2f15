// permessage-deflate with the client (RFC 7692), as it was agreed on in the handshake: for the deliveries that read messages.
#pragma once

#include <memory>
#include <optional>

#include "websocket/deflate.h"
#include "websocket/extensions.h"

namespace ws::relay {

// For what the client sends. Null: nothing was agreed on. Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<websocket::Inflater> make_inflater(
    const std::optional<websocket::DeflateParameters>& agreed);

// For what it gets; `level` is zlib's. Null and throws: the same.
[[nodiscard]] std::unique_ptr<websocket::Deflater> make_deflater(
    const std::optional<websocket::DeflateParameters>& agreed, int level);

}  // namespace ws::relay
