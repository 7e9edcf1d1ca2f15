#include "redis/url.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

namespace ws::redis {

namespace {

// What went wrong, or null.
using Fault = const char*;

constexpr Fault bad_db = "the database must be a number from 0 to 2147483647";
constexpr Fault bad_escape =
    "\"%\" must be followed by two hexadecimal digits other than 00 (a literal \"%\" is written %25)";
constexpr Fault no_password =
    "a user needs a password: redis://user:password@host, or redis://:password@host for the default user";

bool starts(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) { return false; }
    text.remove_prefix(prefix.size());
    return true;
}

int hex(char c) {
    if (c >= '0' && c <= '9') { return c - '0'; }
    if (c >= 'a' && c <= 'f') { return c - 'a' + 10; }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Fault decode(std::string_view text, std::string& out) {
    out.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 1 < text.size() ? hex(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) { return bad_escape; }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return nullptr;
}

template <typename Number>
bool number(std::string_view text, Number max, Number& out) {
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, out);
    return result.ec == std::errc{} && result.ptr == end && out <= max;
}

Fault database(std::string_view text, Url& url) {
    return number(text, unsigned{std::numeric_limits<int>::max()}, url.db) ? nullptr : bad_db;
}

// [user]:password
Fault credentials(std::string_view text, Url& url) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon + 1 == text.size()) { return no_password; }
    if (Fault fault = decode(text.substr(0, colon), url.user)) { return fault; }
    return decode(text.substr(colon + 1), url.password);
}

// Takes [[user]:password@] off the front. The last @ counts, so that a password may hold one.
Fault take_credentials(std::string_view& authority, Url& url) {
    const std::size_t at = authority.rfind('@');
    if (at == std::string_view::npos) { return nullptr; }
    const std::string_view text = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    return credentials(text, url);
}

// host[:port]
Fault host_and_port(std::string_view text, std::uint16_t default_port, Url& url) {
    Endpoint endpoint{{}, default_port};
    std::size_t end = text.find(':');
    if (text.starts_with('[')) {
        end = text.find(']');
        if (end == std::string_view::npos) { return "an IPv6 address is written in brackets: redis://[::1]:6379"; }
        ++end;
    } else if (end != text.rfind(':')) {
        return "an IPv6 address is written in brackets: redis://[::1]:6379";
    }
    endpoint.host = text.substr(0, end);
    if (endpoint.host.empty()) { return "the host is missing: redis://host:port"; }
    if (end < text.size() && (text[end] != ':' || !number(text.substr(end + 1), std::uint16_t{65535}, endpoint.port) ||
                              endpoint.port == 0)) {
        return "the port must be a number from 1 to 65535";
    }
    url.endpoints.push_back(std::move(endpoint));
    return nullptr;
}

// host[:port][,host[:port]...]
Fault hosts(std::string_view text, std::uint16_t default_port, Url& url) {
    for (;;) {
        const std::size_t comma = text.find(',');
        if (Fault fault = host_and_port(text.substr(0, comma), default_port, url)) { return fault; }
        if (comma == std::string_view::npos) { return nullptr; }
        text.remove_prefix(comma + 1);
    }
}

Fault tcp(std::string_view text, Url& url) {
    if (text.find_first_of("?#") != std::string_view::npos) {
        return "\"?\" and \"#\" are not understood here: redis://user:password@host:port/db (in a password they are "
               "written %3F and %23)";
    }
    const std::size_t slash = text.find('/');
    std::string_view authority = text.substr(0, slash);
    if (Fault fault = take_credentials(authority, url)) { return fault; }
    if (url.kind == Url::Kind::server && authority.find(',') != std::string_view::npos) {
        return "several hosts are for redis+sentinel:// and redis+cluster://";
    }
    const std::uint16_t default_port = url.kind == Url::Kind::sentinel ? 26379 : 6379;
    if (Fault fault = hosts(authority, default_port, url)) { return fault; }
    std::string_view path = slash < text.size() ? text.substr(slash + 1) : std::string_view{};
    if (url.kind == Url::Kind::sentinel) {
        const std::size_t end = path.find('/');
        url.master = path.substr(0, end);
        if (url.master.empty()) { return "the master's name is missing: redis+sentinel://host:port,host:port/name"; }
        path = end < path.size() ? path.substr(end + 1) : std::string_view{};
    }
    if (path.empty()) { return nullptr; }
    if (url.kind == Url::Kind::cluster) { return "a cluster has no databases: redis+cluster://host:port,host:port"; }
    return database(path, url);
}

Fault option(std::string_view text, Url& url) {
    if (starts(text, "db=")) { return database(text, url); }
    if (starts(text, "user=") || starts(text, "username=")) { return decode(text, url.user); }
    if (starts(text, "password=")) { return decode(text, url.password); }
    return "the options of a unix socket are db, user and password: unix:/path?db=1&user=name&password=secret";
}

Fault options(std::string_view text, Url& url) {
    for (;;) {
        const std::size_t end = text.find('&');
        if (Fault fault = option(text.substr(0, end), url)) { return fault; }
        if (end == std::string_view::npos) { return !url.user.empty() && url.password.empty() ? no_password : nullptr; }
        text.remove_prefix(end + 1);
    }
}

Fault unix_socket(std::string_view text, Url& url) {
    const std::size_t question = text.find('?');
    std::string_view path = text.substr(0, question);
    if (starts(path, "//")) {
        const std::size_t slash = path.find('/');
        std::string_view authority = path.substr(0, slash);
        if (Fault fault = take_credentials(authority, url)) { return fault; }
        path = authority.empty() && slash < path.size() ? path.substr(slash) : std::string_view{};
    }
    if (!path.starts_with('/')) { return "the path of a unix socket is absolute: unix:/path/redis.sock"; }
    if (Fault fault = decode(path, url.path)) { return fault; }
    return question < text.size() ? options(text.substr(question + 1), url) : nullptr;
}

struct Scheme {
    std::string_view prefix;
    Url::Kind kind;
    bool tls;
};

constexpr std::array<Scheme, 6> schemes{{
    {"redis://", Url::Kind::server, false},
    {"rediss://", Url::Kind::server, true},
    {"redis+sentinel://", Url::Kind::sentinel, false},
    {"rediss+sentinel://", Url::Kind::sentinel, true},
    {"redis+cluster://", Url::Kind::cluster, false},
    {"rediss+cluster://", Url::Kind::cluster, true},
}};

Fault parse(std::string_view text, Url& url) {
    for (const char c : text) {
        if (c <= ' ' || c == '\x7f') { return "blanks and control characters are not allowed (percent-encode them)"; }
    }
    for (const Scheme& scheme : schemes) {
        if (!starts(text, scheme.prefix)) { continue; }
        url.kind = scheme.kind;
        url.tls = scheme.tls;
        return tcp(text, url);
    }
    if (starts(text, "unix:") || starts(text, "redis+unix:")) { return unix_socket(text, url); }
    return "the address must look like redis://user:password@host:port/db, unix:/path/redis.sock?db=1, "
           "redis+sentinel://host:port,host:port/name/db or redis+cluster://host:port,host:port";
}

}  // namespace

std::string Url::address() const {
    if (endpoints.empty()) { return "unix:" + path; }
    switch (kind) {
        case Kind::sentinel: return master;
        case Kind::cluster: return "cluster " + endpoints.front().text();
        case Kind::server: break;
    }
    return endpoints.front().text();
}

std::optional<Url> parse_url(std::string_view text, std::string& error) {
    Url url;
    if (Fault fault = parse(text, url)) {
        error = fault;
        return std::nullopt;
    }
    return url;
}

}  // namespace ws::redis
