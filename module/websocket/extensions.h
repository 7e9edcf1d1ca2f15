// Negotiation of permessage-deflate, as a server (RFC 6455 9.1, RFC 7692 5 and 7.1).
//
// Pure: the client's header values in, what was agreed and the value for the answer out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ws::websocket {

inline constexpr std::uint8_t min_window_bits = 8;  // RFC 7692 7.1.2: a window of 256 bytes to 32 KiB
inline constexpr std::uint8_t max_window_bits = 15;

// What the gateway is willing to agree on. Bits are min_window_bits to max_window_bits.
struct DeflatePolicy {
    bool server_context_takeover = true;  // false: each of the gateway's messages is compressed on its own
    bool client_context_takeover = true;  // false: each of the client's messages must be
    std::uint8_t server_window_bits = max_window_bits;  // of the gateway's compressor, at most
    std::uint8_t client_window_bits = max_window_bits;  // of the client's, at most: see negotiate_extensions()
};

// What holds for one connection. The gateway's Deflater takes the server's half, its Inflater the client's.
struct DeflateParameters {
    bool server_context_takeover = true;
    bool client_context_takeover = true;
    std::uint8_t server_window_bits = max_window_bits;
    std::uint8_t client_window_bits = max_window_bits;

    bool operator==(const DeflateParameters&) const = default;
};

struct Negotiation {
    // A line breaks the grammar. RFC 6455 9.1: the connection must be failed, which is a 400 here. Nothing is agreed.
    bool malformed = false;
    std::optional<DeflateParameters> deflate;  // none: the answer carries no Sec-WebSocket-Extensions
    std::string response;                      // the answer's Sec-WebSocket-Extensions
};

// `lines` are the values of all Sec-WebSocket-Extensions lines of a request, in their order.
//
// The first offer of permessage-deflate that can be kept is accepted. An offer is declined when it has a parameter that
// is unknown, stands twice or has a wrong value (RFC 7692 7.1), and when the policy wants a smaller window of a client
// that can't be told so because client_max_window_bits is not offered (7.1.2.2). Other extensions are ignored.
//
// server_max_window_bits=8 is accepted and kept: see Deflater about how.
[[nodiscard]] Negotiation negotiate_extensions(std::span<const std::string_view> lines, const DeflatePolicy& policy);

// RFC 6455 4.2.2 (5): has each extension of an answer a name that stands in the offer? Both are the values of all
// Sec-WebSocket-Extensions lines. An answer that breaks the grammar: false.
[[nodiscard]] bool valid_extensions_answer(std::span<const std::string_view> answer,
                                           std::span<const std::string_view> offer);

}  // namespace ws::websocket
