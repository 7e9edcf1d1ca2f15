// Close status codes (RFC 6455 7.4 and the IANA registry).
#pragma once

#include <cstdint>

namespace ws::websocket::close_code {

inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported_data = 1003;
inline constexpr std::uint16_t none = 1005;      // stands for a close frame without a code; never on the wire
inline constexpr std::uint16_t abnormal = 1006;  // stands for an end without a close frame; never on the wire
inline constexpr std::uint16_t invalid_payload = 1007;
inline constexpr std::uint16_t policy_violation = 1008;
inline constexpr std::uint16_t message_too_big = 1009;
inline constexpr std::uint16_t internal_error = 1011;
inline constexpr std::uint16_t service_restart = 1012;
inline constexpr std::uint16_t try_again_later = 1013;
inline constexpr std::uint16_t bad_gateway = 1014;

// May this code stand in a close frame, received or sent? (7.4.1: 1004, 1005, 1006 and 1015 must not; 7.4.2: 1000-2999
// belong to the protocol, so only registered ones count; 3000-4999 are free to use.)
[[nodiscard]] constexpr bool allowed(std::uint16_t code) noexcept {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace ws::websocket::close_code
