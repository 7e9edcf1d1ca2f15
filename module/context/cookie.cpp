#include "context/cookie.h"

#include <algorithm>

namespace ws::context {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

// A tab is white space that HTTP allows in a header; any other control byte ends or alters the line for some parser.
bool ambiguous(std::string_view line) {
    return std::any_of(line.begin(), line.end(), [](char c) { return is_control(c) && c != '\t'; });
}

CookieResult checked(std::string_view value) {
    if (!value.empty() && (value.front() == '"' || value.back() == '"')) {
        if (value.size() < 2 || value.front() != value.back()) return {CookieStatus::malformed, {}};
        value = value.substr(1, value.size() - 2);
    }
    if (std::any_of(value.begin(), value.end(), is_control)) return {CookieStatus::malformed, {}};
    return {CookieStatus::found, value};
}

}  // namespace

CookieResult find_cookie(std::span<const std::string_view> lines, std::string_view name) {
    CookieResult result;
    for (std::string_view line : lines) {
        if (ambiguous(line)) return {CookieStatus::malformed, {}};
        while (!line.empty()) {
            const std::string_view pair = line.substr(0, line.find(';'));
            line.remove_prefix(std::min(pair.size() + 1, line.size()));
            const std::size_t equals = pair.find('=');
            if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)) != name) continue;
            if (result.status != CookieStatus::absent) return {CookieStatus::duplicate, {}};
            result = checked(trimmed(pair.substr(equals + 1)));
        }
    }
    return result;
}

}  // namespace ws::context
