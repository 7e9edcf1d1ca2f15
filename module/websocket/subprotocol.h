// Subprotocols (RFC 6455 1.9): what a client offers, and which of them is chosen.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ws::websocket {

// The names of all Sec-WebSocket-Protocol lines of a request, in their order, which is the client's preference (11.3.4). The
// views are of the lines. None when a name is no token or stands twice, which RFC 6455 4.1 forbids the client.
[[nodiscard]] std::optional<std::vector<std::string_view>> offered_subprotocols(
    std::span<const std::string_view> lines);

// May a server answer with these lines? 4.2.2: with none, or with one name that was offered, exactly as it was offered.
[[nodiscard]] bool valid_subprotocol_answer(std::span<const std::string_view> lines,
                                            std::span<const std::string_view> offered) noexcept;

}  // namespace ws::websocket
