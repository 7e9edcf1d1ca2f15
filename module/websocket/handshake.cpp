#include "websocket/handshake.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "websocket/header_value.h"

namespace ws::websocket {

namespace {

// RFC 9110 7.8: an element is a protocol, or protocol/version.
bool mentions_websocket(std::string_view list) noexcept {
    while (!list.empty()) {
        const std::string_view element = next_element(list);
        if (same_text(trim(element.substr(0, element.find('/'))), "websocket")) { return true; }
    }
    return false;
}

// Of each byte, the six bits that it stands for in base64 (RFC 4648 4).
constexpr std::uint8_t no_digit = 0xff;
constexpr auto base64_bits = [] {
    std::array<std::uint8_t, 256> bits{};
    bits.fill(no_digit);
    std::uint8_t next = 0;
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")) {
        bits[static_cast<unsigned char>(c)] = next++;
    }
    return bits;
}();

std::uint8_t bits_of(char c) noexcept { return base64_bits[static_cast<unsigned char>(c)]; }

}  // namespace

void Single::add(std::string_view line) noexcept {
    ++lines_;
    value_ = trim(line);
}

bool Single::is_any_case(std::string_view wanted) const noexcept { return once() && same_text(value_, wanted); }

void OpeningRequest::add(const Header& header) noexcept {
    if (same_text(header.name, "Upgrade")) {
        upgrade_.add(header.value);
        asks_for_websocket_ = asks_for_websocket_ || mentions_websocket(header.value);
    } else if (same_text(header.name, "Connection")) {
        connection_upgrade_ = connection_upgrade_ || has_token(header.value, "upgrade");
    } else if (same_text(header.name, "Sec-WebSocket-Version")) {
        version_.add(header.value);
    } else if (same_text(header.name, "Sec-WebSocket-Key")) {
        key_.add(header.value);
    }
}

RequestKind OpeningRequest::kind(bool get, bool http_1_1, bool has_body) const noexcept {
    if (!asks_for_websocket_) { return RequestKind::plain; }
    // RFC 6455 4.2.1
    if (!get || !http_1_1 || has_body || !upgrade_.is_any_case("websocket") || !connection_upgrade_ || !key_.once() ||
        !valid_key(key_.value())) {
        return RequestKind::malformed;
    }
    return version_.is("13") ? RequestKind::upgrade : RequestKind::wrong_version;
}

void OpeningResponse::add(const Header& header) noexcept {
    if (same_text(header.name, "Upgrade")) {
        upgrade_.add(header.value);
    } else if (same_text(header.name, "Connection")) {
        connection_upgrade_ = connection_upgrade_ || has_token(header.value, "upgrade");
    } else if (same_text(header.name, "Sec-WebSocket-Accept")) {
        accept_.add(header.value);
    } else if (same_text(header.name, "Transfer-Encoding") ||
               (same_text(header.name, "Content-Length") && trim(header.value) != "0")) {
        has_body_ = true;
    }
}

bool OpeningResponse::valid(std::string_view expected_accept) const noexcept {
    return upgrade_.is_any_case("websocket") && connection_upgrade_ && accept_.is(expected_accept) && !has_body_;
}

bool has_token(std::string_view list, std::string_view token) noexcept {
    while (!list.empty()) {
        if (same_text(next_element(list), token)) { return true; }
    }
    return false;
}

bool valid_key(std::string_view key) noexcept {
    constexpr std::size_t digits = 22;  // 16 bytes are 128 bits: 21 digits of 6, and 2 bits in one more
    if (key.size() != digits + 2 || key.substr(digits) != "==") { return false; }
    const auto is_digit = [](char c) { return bits_of(c) != no_digit; };
    return std::ranges::all_of(key.substr(0, digits), is_digit) && bits_of(key[digits - 1]) % 16 == 0;
}

}  // namespace ws::websocket
