#include "redis/redirection.h"

#include "redis/slot.h"

#include <charconv>

namespace ws::redis {

namespace {

template <typename Number>
bool number(std::string_view text, Number& out) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), out);
    return result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

std::string bracketed(std::string_view host) {
    const bool ipv6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
    return ipv6 ? '[' + std::string(host) + ']' : std::string(host);
}

}  // namespace

std::optional<Redirection> redirection(const redisReply& reply) {
    const std::string_view code = error_code(reply);
    if (code != "MOVED" && code != "ASK") { return std::nullopt; }
    std::string_view rest = error_text(reply).substr(code.size());
    if (rest.empty()) { return std::nullopt; }
    rest.remove_prefix(1);
    const std::size_t blank = rest.find(' ');
    const std::size_t colon = rest.rfind(':');
    Redirection found;
    found.ask = code == "ASK";
    if (blank == std::string_view::npos || colon == std::string_view::npos || colon < blank ||
        !number(rest.substr(0, blank), found.slot) || found.slot >= slot_count ||
        !number(rest.substr(colon + 1), found.to.port) || found.to.port == 0) {
        return std::nullopt;
    }
    found.to.host = bracketed(rest.substr(blank + 1, colon - blank - 1));
    return found;
}

std::optional<Endpoint> master_address(const redisReply& reply) {
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 2) { return std::nullopt; }
    const auto host = string_value(*reply.element[0]);
    const auto port = string_value(*reply.element[1]);
    Endpoint master;
    if (!host || host->empty() || !port || !number(*port, master.port) || master.port == 0) { return std::nullopt; }
    master.host = bracketed(*host);
    return master;
}

}  // namespace ws::redis
