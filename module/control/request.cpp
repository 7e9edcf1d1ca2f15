#include "control/request.h"

#include <algorithm>

#include "context/json.h"
#include "context/path.h"

namespace ws::control {

namespace {

bool is_hexadecimal(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool holds(json_t* context, const Filter& filter) {
    json_t* const value = context::find_path(context, filter.path);
    if (value == nullptr) { return false; }
    if (json_is_string(value)) {
        return std::string_view(json_string_value(value), json_string_length(value)) == filter.value;
    }
    std::string text;
    context::append_json(text, value, context::Charset::utf8);
    return text == filter.value;
}

}  // namespace

bool is_id(std::string_view text) noexcept { return text.size() == 32 && is_hexadecimal(text); }

bool is_session_name(std::string_view text) noexcept { return text.size() == 64 && is_hexadecimal(text); }

bool Selection::matches(std::string_view of_session, std::string_view context) const {
    if (!session.empty() && session != of_session) { return false; }
    if (filters.empty()) { return true; }
    const context::JsonParse parsed = context::parse_json(context);
    return json_is_object(parsed.value.get()) &&
           std::ranges::all_of(filters, [&parsed](const Filter& filter) { return holds(parsed.value.get(), filter); });
}

}  // namespace ws::control
