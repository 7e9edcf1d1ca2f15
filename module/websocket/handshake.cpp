#include "websocket/handshake.h"

#include <algorithm>
#include <cstddef>

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

// A header that may stand only once.
struct Single {
    std::size_t lines = 0;
    std::string_view value;

    void add(std::string_view line) noexcept {
        ++lines;
        value = trim(line);
    }
    [[nodiscard]] bool is(std::string_view wanted) const noexcept { return lines == 1 && value == wanted; }
    [[nodiscard]] bool is_any_case(std::string_view wanted) const noexcept {
        return lines == 1 && same_text(value, wanted);
    }
};

}  // namespace

RequestKind classify_request(bool get, bool http_1_1, bool has_body, std::span<const Header> headers) noexcept {
    Single upgrade;
    Single version;
    Single key;
    bool asks_for_websocket = false;
    bool connection_upgrade = false;
    for (const Header& header : headers) {
        if (same_text(header.name, "Upgrade")) {
            upgrade.add(header.value);
            asks_for_websocket = asks_for_websocket || mentions_websocket(header.value);
        } else if (same_text(header.name, "Connection")) {
            connection_upgrade = connection_upgrade || has_token(header.value, "upgrade");
        } else if (same_text(header.name, "Sec-WebSocket-Version")) {
            version.add(header.value);
        } else if (same_text(header.name, "Sec-WebSocket-Key")) {
            key.add(header.value);
        }
    }
    if (!asks_for_websocket) { return RequestKind::plain; }
    // RFC 6455 4.2.1
    if (!get || !http_1_1 || has_body || !upgrade.is_any_case("websocket") || !connection_upgrade || key.lines != 1 ||
        !valid_key(key.value)) {
        return RequestKind::malformed;
    }
    return version.is("13") ? RequestKind::upgrade : RequestKind::wrong_version;
}

bool valid_response(std::span<const Header> headers, std::string_view expected_accept) noexcept {
    Single upgrade;
    Single accept;
    bool connection_upgrade = false;
    for (const Header& header : headers) {
        if (same_text(header.name, "Upgrade")) {
            upgrade.add(header.value);
        } else if (same_text(header.name, "Connection")) {
            connection_upgrade = connection_upgrade || has_token(header.value, "upgrade");
        } else if (same_text(header.name, "Sec-WebSocket-Accept")) {
            accept.add(header.value);
        } else if (same_text(header.name, "Transfer-Encoding") ||
                   (same_text(header.name, "Content-Length") && trim(header.value) != "0")) {
            return false;
        }
    }
    return upgrade.is_any_case("websocket") && connection_upgrade && accept.is(expected_accept);
}

bool has_token(std::string_view list, std::string_view token) noexcept {
    while (!list.empty()) {
        if (same_text(next_element(list), token)) { return true; }
    }
    return false;
}

bool valid_key(std::string_view key) noexcept {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    constexpr std::size_t digits = 22;  // 16 bytes are 128 bits: 21 digits of 6, and 2 bits in one more
    if (key.size() != digits + 2 || key.substr(digits) != "==" ||
        key.substr(0, digits).find_first_not_of(alphabet) != std::string_view::npos) {
        return false;
    }
    return alphabet.find(key[digits - 1]) % 16 == 0;
}

}  // namespace ws::websocket
