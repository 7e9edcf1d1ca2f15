#include "context/json.h"

#include "context/escape.h"
#include "context/utf8.h"

#include <algorithm>
#include <charconv>
#include <new>

namespace ws::context {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_number_byte(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// The digits of a number that count: neither leading nor trailing zeros, no exponent.
std::string significant_digits(std::string_view number) {
    std::string digits;
    for (const char c : number.substr(0, number.find_first_of("eE"))) {
        if (c >= '0' && c <= '9' && !(c == '0' && digits.empty())) digits += c;
    }
    digits.erase(digits.find_last_not_of('0') + 1);
    return digits;
}

// Is a real the rounding of some double to as many digits as the real has? True for whatever was printed from a double.
bool stands_for_double(std::string_view number) {
    constexpr std::size_t max_digits = 767;  // no double's exact value has more
    const std::string digits = significant_digits(number);
    if (digits.empty()) return true;
    if (digits.size() > max_digits) return false;
    double value = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) return false;
    char text[max_digits + 16];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific,
                                            static_cast<int>(digits.size()) - 1);
    return error == std::errc() && significant_digits({text, static_cast<std::size_t>(end - text)}) == digits;
}

std::size_t string_end(std::string_view json, std::size_t open_quote) {
    std::size_t at = open_quote + 1;
    while (json[at] != '"') at += json[at] == '\\' ? 2 : 1;
    return at + 1;
}

// What jansson doesn't look at, in a text that it has found valid.
JsonError inspect(std::string_view json, std::size_t levels) {
    std::size_t depth = 0;
    for (std::size_t at = 0; at < json.size();) {
        const char c = json[at];
        if (c == '"') {
            at = string_end(json, at);
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            const auto begin = json.begin() + static_cast<std::ptrdiff_t>(at);
            const auto end = std::find_if_not(begin, json.end(), is_number_byte);
            const std::string_view number(begin, end);
            if (number.find_first_of(".eE") != std::string_view::npos && !stands_for_double(number)) {
                return JsonError::inexact_number;
            }
            at += number.size();
        } else {
            if (c == '[' || c == '{') ++depth;
            if (c == ']' || c == '}') --depth;
            if (depth > levels) return JsonError::too_deep;
            ++at;
        }
    }
    return JsonError::none;
}

JsonError error_of(const json_error_t& error) {
    switch (json_error_code(&error)) {
        case json_error_numeric_overflow: return JsonError::inexact_number;
        case json_error_stack_overflow: return JsonError::too_deep;
        default: return JsonError::syntax;
    }
}

void append_integer(std::string& out, json_int_t value) {
    char text[24];
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// The shortest text that reads back as the same double, and as a real.
void append_real(std::string& out, double value) {
    char text[32];
    const std::string_view number(text, std::to_chars(text, text + sizeof text, value).ptr);
    out += number;
    if (number.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_unicode_escape(std::string& out, char32_t unit) {
    const char escape[] = {'\\',
                           'u',
                           hex_digits[unit >> 12 & 15],
                           hex_digits[unit >> 8 & 15],
                           hex_digits[unit >> 4 & 15],
                           hex_digits[unit & 15]};
    out.append(escape, sizeof escape);
}

void append_string(std::string& out, std::string_view text, Charset charset) {
    if (charset == Charset::ascii) {
        append_ascii_string(out, text);
    } else {
        append_utf8_string(out, text);
    }
}

void append_object(std::string& out, json_t* object, Charset charset) {
    char separator = '{';
    const char* name = nullptr;
    json_t* member = nullptr;
    json_object_foreach(object, name, member) {
        out += separator;
        append_string(out, name, charset);
        out += ':';
        append_json(out, member, charset);
        separator = ',';
    }
    out += separator == '{' ? "{}" : "}";
}

void append_array(std::string& out, json_t* array, Charset charset) {
    out += '[';
    for (std::size_t i = 0; i < json_array_size(array); ++i) {
        if (i != 0) out += ',';
        append_json(out, json_array_get(array, i), charset);
    }
    out += ']';
}

}  // namespace

JsonParse parse_json(std::string_view text, std::size_t levels) {
    // Jansson overlooks a NUL byte after a number: [1\0] would be [1].
    if (text.find('\0') != std::string_view::npos) return {nullptr, JsonError::syntax};
    json_error_t error{};
    JsonPtr value(
        json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error));
    if (!value) return {nullptr, error_of(error)};
    const JsonError found = inspect(text, levels);
    if (found != JsonError::none) return {nullptr, found};
    return {std::move(value), JsonError::none};
}

JsonPtr allocated(json_t* value) {
    if (value == nullptr) throw std::bad_alloc();
    return JsonPtr(value);
}

void append_json(std::string& out, json_t* value, Charset charset) {
    switch (json_typeof(value)) {
        case JSON_OBJECT: append_object(out, value, charset); break;
        case JSON_ARRAY: append_array(out, value, charset); break;
        case JSON_STRING: append_string(out, {json_string_value(value), json_string_length(value)}, charset); break;
        case JSON_INTEGER: append_integer(out, json_integer_value(value)); break;
        case JSON_REAL: append_real(out, json_real_value(value)); break;
        case JSON_TRUE: out += "true"; break;
        case JSON_FALSE: out += "false"; break;
        case JSON_NULL: out += "null"; break;
    }
}

void append_ascii_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto run_end = std::find_if(
            text.begin(), text.end(), [](char c) { return needs_escape(c) || static_cast<unsigned char>(c) >= 0x7f; });
        out.append(text.begin(), run_end);
        text.remove_prefix(static_cast<std::size_t>(run_end - text.begin()));
        if (text.empty()) break;
        if (needs_escape(text.front())) {
            append_escaped(out, text.substr(0, 1));
            text.remove_prefix(1);
            continue;
        }
        const char32_t code_point = take_code_point(text).value_or(0xfffd);
        if (code_point >= 0x10000) {
            append_unicode_escape(out, 0xd800 + ((code_point - 0x10000) >> 10));
            append_unicode_escape(out, 0xdc00 + (code_point & 0x3ff));
        } else {
            append_unicode_escape(out, code_point);
        }
    }
    out += '"';
}

void append_utf8_string(std::string& out, std::string_view text) {
    out += '"';
    append_escaped(out, text);
    out += '"';
}

std::size_t utf8_string_size(std::string_view text) noexcept { return escaped_size(text) + 2; }

}  // namespace ws::context
