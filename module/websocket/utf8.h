// UTF-8 as text messages and close reasons must be (RFC 6455 8.1, RFC 3629), checked piece by piece.
#pragma once

#include <cstdint>
#include <string_view>

namespace ws::websocket {

// Pieces may split a character. After feed() has returned false the validator stays false until reset().
class Utf8Validator {
public:
    // False at the first byte that no valid text could have at this place: overlong forms, surrogates and code points
    // above U+10FFFF fail at their second byte, not at their end.
    [[nodiscard]] bool feed(std::string_view piece) noexcept;

    // True when what was fed so far is valid and ends between two characters.
    [[nodiscard]] bool complete() const noexcept { return pending_ == 0 && !failed_; }

    void reset() noexcept { *this = Utf8Validator{}; }

private:
    [[nodiscard]] bool step(std::uint8_t byte) noexcept;
    [[nodiscard]] bool start(std::uint8_t lead) noexcept;

    std::uint8_t pending_ = 0;  // continuation bytes still to come
    std::uint8_t low_ = 0x80;   // the next continuation byte is between these two
    std::uint8_t high_ = 0xBF;
    bool failed_ = false;
};

}  // namespace ws::websocket
