#include "context/cloud_event.h"

namespace ws::context {

std::string cloud_event_attribute(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string value;
    value.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > ' ' && byte < 0x7f && c != '"' && c != '%') {
            value += c;
        } else {
            value.append(1, '%').append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
        }
    }
    return value;
}

}  // namespace ws::context
