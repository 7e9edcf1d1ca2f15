#include "websocket/origin.h"

#include <algorithm>
#include <utility>

namespace ws::websocket {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_host_char(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_'; }

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::string_view implied_port(std::string_view scheme) noexcept {
    if (scheme == "http") { return "80"; }
    if (scheme == "https") { return "443"; }
    return {};
}

struct HostPort {
    std::string host;
    std::string port;
};

// host [":" port], the host a name, an IPv4 address or an IPv6 address in brackets.
std::optional<HostPort> split(std::string_view text) {
    HostPort result;
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) { return std::nullopt; }
        result.host = lower(text.substr(0, end + 1));
        rest = text.substr(end + 1);
        const std::string_view address = std::string_view(result.host).substr(1, end - 1);
        if (address.empty() || address.find_first_not_of("0123456789abcdef:.") != std::string_view::npos) {
            return std::nullopt;
        }
    } else {
        const std::size_t end = std::min(text.find(':'), text.size());
        result.host = lower(text.substr(0, end));
        rest = text.substr(end);
        if (result.host.empty() || !std::ranges::all_of(result.host, is_host_char)) { return std::nullopt; }
    }
    if (rest.empty()) { return result; }
    rest.remove_prefix(1);
    if (text[text.size() - rest.size() - 1] != ':' || rest.empty() || rest.size() > 5 ||
        !std::ranges::all_of(rest, is_digit)) {
        return std::nullopt;
    }
    rest.remove_prefix(std::min(rest.find_first_not_of('0'), rest.size() - 1));
    result.port = rest;
    return result;
}

void drop_implied_port(std::string& port, std::string_view scheme) {
    if (port == implied_port(scheme)) { port.clear(); }
}

// The usual case, with neither taken apart: a name in lower case, no port, and the same name behind the scheme. What isn't may
// still be the same origin.
bool plainly_same(std::string_view origin, std::string_view host, bool secure) noexcept {
    if (origin.starts_with("https://")) {
        origin.remove_prefix(8);
    } else if (!secure && origin.starts_with("http://")) {
        origin.remove_prefix(7);
    } else {
        return false;
    }
    return origin == host && !host.empty() && std::ranges::all_of(host, is_host_char);
}

}  // namespace

std::optional<Origin> Origin::parse(std::string_view text) {
    const std::size_t end = text.find("://");
    if (end == std::string_view::npos || end == 0) { return std::nullopt; }
    std::string scheme = lower(text.substr(0, end));
    if (!std::ranges::all_of(
            scheme, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '+' || c == '-' || c == '.'; })) {
        return std::nullopt;
    }
    auto place = split(text.substr(end + 3));
    if (!place) { return std::nullopt; }
    drop_implied_port(place->port, scheme);
    return Origin{std::move(scheme), std::move(place->host), std::move(place->port)};
}

bool OriginPolicy::add(std::string_view pattern) {
    std::string scheme;
    if (const std::size_t end = pattern.find("://"); end != std::string_view::npos) {
        scheme = lower(pattern.substr(0, end));
        if (scheme != "http" && scheme != "https") { return false; }
        pattern.remove_prefix(end + 3);
    }
    const bool below = pattern.starts_with("*.");
    if (below) { pattern.remove_prefix(2); }
    auto place = split(pattern);
    if (!place) { return false; }
    if (!scheme.empty()) { drop_implied_port(place->port, scheme); }
    patterns_.push_back({{std::move(scheme), std::move(place->host), std::move(place->port)}, below});
    return true;
}

bool OriginPolicy::allows(std::string_view text, std::string_view host, bool secure) const {
    if (kind_ == Kind::any || (kind_ == Kind::same && plainly_same(text, host, secure))) { return true; }
    const auto origin = Origin::parse(text);
    if (!origin) { return false; }
    if (kind_ == Kind::same) {
        auto own = split(host);
        if (!own || (origin->scheme != "https" && (secure || origin->scheme != "http"))) { return false; }
        // Behind a TLS-terminating proxy only the page knows the scheme, so its implied port is the one meant.
        drop_implied_port(own->port, origin->scheme);
        return own->host == origin->host && own->port == origin->port;
    }
    return std::ranges::any_of(patterns_, [&origin](const Pattern& pattern) {
        if (pattern.origin.scheme.empty() ? origin->scheme != "http" && origin->scheme != "https"
                                          : origin->scheme != pattern.origin.scheme) {
            return false;
        }
        std::string port = pattern.origin.port;
        drop_implied_port(port, origin->scheme);
        if (origin->port != port) { return false; }
        if (!pattern.below) { return origin->host == pattern.origin.host; }
        return origin->host.size() > pattern.origin.host.size() + 1 && origin->host.ends_with(pattern.origin.host) &&
               origin->host[origin->host.size() - pattern.origin.host.size() - 1] == '.';
    });
}

}  // namespace ws::websocket
