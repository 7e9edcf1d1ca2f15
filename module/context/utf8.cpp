#include "context/utf8.h"

#include <cstddef>

namespace ws::context {
namespace {

std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return 2;
    if (lead >= 0xe0 && lead <= 0xef) return 3;
    if (lead >= 0xf0 && lead <= 0xf4) return 4;
    return 0;
}

// RFC 3629 3 and 4: no longer form than needed, no surrogates, nothing above U+10FFFF.
bool allowed(char32_t code_point, std::size_t length) {
    if (length == 3) return code_point >= 0x800 && (code_point < 0xd800 || code_point > 0xdfff);
    if (length == 4) return code_point >= 0x10000 && code_point <= 0x10ffff;
    return true;
}

}  // namespace

std::optional<char32_t> take_code_point(std::string_view& rest) {
    const auto lead = static_cast<unsigned char>(rest.front());
    const std::size_t length = sequence_length(lead);
    bool valid = length != 0 && length <= rest.size();
    char32_t code_point = length <= 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t i = 1; valid && i < length; ++i) {
        const auto byte = static_cast<unsigned char>(rest[i]);
        valid = (byte & 0xc0) == 0x80;
        code_point = code_point << 6 | (byte & 0x3fU);
    }
    valid = valid && allowed(code_point, length);
    rest.remove_prefix(valid ? length : 1);
    return valid ? std::optional(code_point) : std::nullopt;
}

}  // namespace ws::context
