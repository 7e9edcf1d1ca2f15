// Whatever a client puts into Cookie lines, a signed cookie, a query string or an Authorization header: no token comes out that isn't there,
// and a second one never goes unnoticed.
#include "auth/signed_cookie.h"
#include "context/cookie.h"
#include "context/token.h"
#include "fuzz.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace ws::context;

namespace {

constexpr std::string_view name = "X-T";

// The input is cut into header lines at form feeds, so that all other control bytes stay in play.
std::vector<std::string_view> lines_of(std::string_view input) {
    std::vector<std::string_view> lines;
    for (;;) {
        const std::size_t end = std::min(input.find('\f'), input.size());
        lines.push_back(input.substr(0, end));
        if (end == input.size()) return lines;
        input.remove_prefix(end + 1);
    }
}

void check_cookies(std::string_view input) {
    std::vector<std::string_view> lines = lines_of(input);
    const CookieResult result = find_cookie(lines, name);
    const std::string own = std::string(name) + "=x";
    lines.push_back(own);
    const CookieResult with_another = find_cookie(lines, name);
    switch (result.status) {
        case CookieStatus::absent:
            require(with_another.status == CookieStatus::found && with_another.value == "x");
            break;
        case CookieStatus::found:
            require(with_another.status == CookieStatus::duplicate);
            require(std::any_of(lines.begin(), lines.end(), [&](std::string_view line) {
                return line.find(name) != std::string_view::npos && line.find(result.value) != std::string_view::npos;
            }));
            require(result.value.find(';') == std::string_view::npos);
            break;
        case CookieStatus::duplicate:
        case CookieStatus::malformed:
            require(with_another.status != CookieStatus::found && with_another.status != CookieStatus::absent);
            break;
    }
    require(result.status == CookieStatus::found || result.value.empty());
}

void check_signed_cookie(std::string_view input) {
    static const ws::auth::CookieSecrets secrets("one\ntwo");
    // A cookie with a signature is nothing that a fuzzer finds.
    require(!secrets.unsigned_id(input).has_value());
    require(!secrets.unsigned_id("s:" + std::string(input)).has_value());
    require(
        !secrets.unsigned_id("s:" + std::string(input) + ".BpxCrWRpvZMh/wk/djl34N+m+VQEU7K/5WenLwJCgFU").has_value());
}

void check_arguments(std::string_view input) {
    const ArgumentResult result = find_argument(input, name);
    require(result.status == ArgumentStatus::found || result.value.empty());
    const ArgumentResult with_another = find_argument(std::string(input) + "&" + std::string(name) + "=%78", name);
    if (result.status == ArgumentStatus::absent) {
        require(with_another.status == ArgumentStatus::found && with_another.value == "x");
    } else {
        require(with_another.status == ArgumentStatus::duplicate);
    }
}

void check_bearer(std::string_view input) {
    for (const std::string& text : {std::string(input), "Bearer " + std::string(input)}) {
        const auto token = bearer_token(text);
        if (!token) continue;
        require(text.ends_with(*token));
        require(valid_token(*token) || token->size() > max_token_size);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    check_cookies(input);
    check_signed_cookie(input);
    check_arguments(input);
    check_bearer(input);
    return 0;
}
