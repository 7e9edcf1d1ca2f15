// One named cookie out of a request's Cookie header lines.
#pragma once

#include <span>
#include <string_view>

namespace ws::context {

enum class CookieStatus {
    absent,
    found,
    duplicate,  // the name occurs more than once, equal values included: frameworks disagree which one counts
    malformed,  // a control byte, or a quote without its partner: frameworks disagree on the value
};

struct CookieResult {
    CookieStatus status = CookieStatus::absent;
    std::string_view value;  // part of `lines`, without its double quotes; empty unless found
};

// `lines` are the values of all Cookie header lines; `name` is taken literally and case-sensitively. Pairs end at
// ';' (RFC 6265 4.2.1), spaces and tabs around names and values don't count, nothing is unescaped, and odd values of
// other cookies don't matter. The value is not checked any further: see valid_token.
[[nodiscard]] CookieResult find_cookie(std::span<const std::string_view> lines, std::string_view name);

}  // namespace ws::context
