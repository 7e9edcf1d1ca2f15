// Arbitrary Origin and Host values, and patterns. Whatever is allowed has to be an origin in the strict sense, with the host
// that the policy means, spelled out at the end of its text.
//
// Input: a byte of settings, then lines: the Origin, the Host, patterns.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "websocket/origin.h"

using namespace ws::websocket;

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

void check_parsed(std::string_view text) {
    const auto origin = Origin::parse(text);
    if (!origin) { return; }
    // RFC 6454 6.2: nothing but scheme, host and port, so that no look-alike hides behind a separator.
    require(text.find_first_of("/?#@\\ \t,\"", text.find("://") + 3) == std::string_view::npos);
    require(!origin->scheme.empty() && !origin->host.empty());
    require(lower(text).starts_with(origin->scheme + "://" + origin->host));
    require(std::ranges::all_of(origin->port, [](char c) { return c >= '0' && c <= '9'; }));
    // Written in its own form it is itself.
    const auto again =
        Origin::parse(origin->scheme + "://" + origin->host + (origin->port.empty() ? "" : ":") + origin->port);
    require(again && again->scheme == origin->scheme && again->host == origin->host && again->port == origin->port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) { return 0; }
    const bool secure = (data[0] & 1) != 0;
    std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::string_view text = take_line(rest);
    const std::string_view host = take_line(rest);
    check_parsed(text);

    const auto origin = Origin::parse(text);
    if (OriginPolicy::same().allows(text, host, secure)) {
        require(origin && (origin->scheme == "https" || (origin->scheme == "http" && !secure)));
        require(lower(host).starts_with(origin->host));
    }
    auto listed = OriginPolicy::listed();
    std::vector<std::string> domains;
    while (!rest.empty()) {
        const std::string_view pattern = take_line(rest);
        if (listed.add(pattern)) { domains.push_back(lower(pattern)); }
    }
    if (listed.allows(text, host, secure)) {
        require(origin.has_value());
        require(std::ranges::any_of(domains, [&origin](const std::string& domain) {
            const std::size_t star = domain.find("*.");
            if (star == std::string::npos) { return domain.find(origin->host) != std::string::npos; }
            const std::string suffix = domain.substr(star + 1, domain.find(':', star) - star - 1);
            return origin->host.size() > suffix.size() && origin->host.ends_with(suffix);
        }));
    }
    return 0;
}
