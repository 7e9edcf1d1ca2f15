#include "context/traceparent.h"

#include <algorithm>

#include "context/hex.h"

namespace ws::context {
namespace {

// VERSION-TRACE-PARENT-FLAGS, in hexadecimal digits.
constexpr std::size_t size = sizeof("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") - 1;
constexpr std::size_t trace_id = 3;
constexpr std::size_t trace_id_size = 32;
constexpr std::size_t parent_id = trace_id + trace_id_size + 1;
constexpr std::size_t parent_id_size = 16;
constexpr std::size_t flags = parent_id + parent_id_size + 1;
constexpr std::size_t trace_id_bytes = trace_id_size / 2;

// Trace Context 3.2.1: lower case only.
bool is_hex(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// 3.2.2.3 and 3.2.2.4: an id of zeros is invalid.
bool is_id(std::string_view text) noexcept { return is_hex(text) && text.find_first_not_of('0') != text.npos; }

// 3.2.2.5.1, the flag in the last bit.
bool is_sampled(char digit) noexcept { return std::string_view("13579bdf").find(digit) != std::string_view::npos; }

bool is_valid(std::string_view text) noexcept {
    if (text.size() < size || text[trace_id - 1] != '-' || text[parent_id - 1] != '-' || text[flags - 1] != '-') {
        return false;
    }
    const std::string_view version = text.substr(0, 2);
    if (!is_hex(version) || version == "ff") { return false; }
    // 3.2.4: what a later version has further follows a dash.
    if (text.size() > size && (version == "00" || text[size] != '-')) { return false; }
    return is_id(text.substr(trace_id, trace_id_size)) && is_id(text.substr(parent_id, parent_id_size)) &&
           is_hex(text.substr(flags, 2));
}

}  // namespace

std::optional<std::string> accepted_traceparent(std::string_view text) {
    if (!is_valid(text)) { return std::nullopt; }
    if (text.starts_with("00")) { return std::string(text); }
    // 3.2.4: in the highest version that is known here, which has no other flag.
    std::string known = "00";
    known += text.substr(2, flags - 2);
    known += is_sampled(text[flags + 1]) ? "01" : "00";
    return known;
}

std::string new_traceparent(std::span<const unsigned char, traceparent_entropy> random, bool sampled) {
    std::string text = "00-";
    text.reserve(size);
    append_hex(text, random.first<trace_id_bytes>());
    text += '-';
    append_hex(text, random.subspan<trace_id_bytes>());
    text += sampled ? "-01" : "-00";
    return text;
}

}  // namespace ws::context
