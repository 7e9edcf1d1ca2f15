#include "context/token.h"

#include <algorithm>

#include "context/percent_encoding.h"

namespace ws::context {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// RFC 7235 2.1: scheme names are case-insensitive. `lower` is in lower case.
bool starts_with_scheme(std::string_view text, std::string_view lower) {
    return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), [](char l, char c) {
               return l == (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
           });
}

// RFC 6750 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_b64token(std::string_view text) {
    const std::size_t padding = text.size() - (text.find_last_not_of('=') + 1);
    const std::string_view body = text.substr(0, text.size() - padding);
    return !body.empty() && std::all_of(body.begin(), body.end(), [](char c) {
        return is_alphanumeric(c) || std::string_view("-._~+/").find(c) != std::string_view::npos;
    });
}

}  // namespace

bool valid_token(std::string_view token) {
    return !token.empty() && token.size() <= max_token_size && std::all_of(token.begin(), token.end(), [](char c) {
        return c >= 0x21 && c <= 0x7e && c != '"' && c != '\'' && c != '\\';
    });
}

ArgumentResult find_argument(std::string_view query, std::string_view name) {
    ArgumentResult result;
    while (!query.empty()) {
        const std::string_view argument = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(argument.size() + 1, query.size()));
        const std::size_t equals = std::min(argument.find('='), argument.size());
        if (percent_decoded(argument.substr(0, equals)) != name) continue;
        if (result.status != ArgumentStatus::absent) return {ArgumentStatus::duplicate, {}};
        auto value = percent_decoded(argument.substr(std::min(equals + 1, argument.size())));
        if (value) {
            result = {ArgumentStatus::found, *std::move(value)};
        } else {
            result.status = ArgumentStatus::malformed;
        }
    }
    return result;
}

std::string without_values(std::string_view query, std::span<const std::string_view> names) {
    std::string text;
    for (;;) {
        const std::string_view argument = query.substr(0, query.find('&'));
        const std::string_view name = argument.substr(0, argument.find('='));
        const auto decoded = percent_decoded(name);
        if (name.size() < argument.size() && decoded &&
            std::find(names.begin(), names.end(), *decoded) != names.end()) {
            text.append(name).append("=-");
        } else {
            text.append(argument);
        }
        if (argument.size() == query.size()) return text;
        query.remove_prefix(argument.size() + 1);
        text += '&';
    }
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (!starts_with_scheme(authorization, scheme)) return std::nullopt;
    authorization.remove_prefix(scheme.size());
    authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
    if (!is_b64token(authorization)) return std::nullopt;
    return authorization;
}

}  // namespace ws::context
