// What a connection is called towards its backend, in logs and by ws_control: 16 random bytes in hexadecimal digits.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "context/hex.h"

namespace ws::nginx {

class ConnectionId {
public:
    static constexpr std::size_t bytes = 16;

    explicit ConnectionId(std::span<const unsigned char, bytes> random) noexcept {
        context::write_hex(digits_.data(), random);
    }

    [[nodiscard]] const char* data() const noexcept { return digits_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return 2 * bytes; }
    operator std::string_view() const noexcept { return {data(), size()}; }

private:
    std::array<char, 2 * bytes + 1> digits_{};  // and a NUL, as behind each value of a header
};

}  // namespace ws::nginx
