#include "redis/slot_table.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace ws::redis {

namespace {

std::optional<long long> integer(const redisReply& reply, long long least, long long most) {
    if (reply.type != REDIS_REPLY_INTEGER || reply.integer < least || reply.integer > most) { return std::nullopt; }
    return reply.integer;
}

// [..., "ip", address, ...], which Redis 7 gives beside a name.
std::string_view announced_address(const redisReply& node) {
    if (node.elements < 4 || node.element[3]->type != REDIS_REPLY_ARRAY) { return {}; }
    const redisReply& more = *node.element[3];
    for (std::size_t i = 0; i + 1 < more.elements; i += 2) {
        if (string_value(*more.element[i]) == "ip") { return string_value(*more.element[i + 1]).value_or(""); }
    }
    return {};
}

// [host, port, id, [...]]; the host is null, "" or "?" when it isn't known.
std::optional<Endpoint> endpoint(const redisReply& node, const Endpoint& asked) {
    if (node.type != REDIS_REPLY_ARRAY || node.elements < 2) { return std::nullopt; }
    const auto port = integer(*node.element[1], 1, std::numeric_limits<std::uint16_t>::max());
    if (!port) { return std::nullopt; }
    std::string_view host = announced_address(node);
    if (host.empty()) { host = string_value(*node.element[0]).value_or(""); }
    if (host.empty() || host == "?") { host = asked.host; }
    const bool bare = host.find(':') != std::string_view::npos && !host.starts_with('[');
    return Endpoint{bare ? '[' + std::string(host) + ']' : std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace

std::optional<SlotTable> SlotTable::parse(const redisReply& reply, const Endpoint& asked) {
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements == 0) { return std::nullopt; }
    SlotTable table;
    for (std::size_t i = 0; i < reply.elements; ++i) {
        const redisReply& range = *reply.element[i];
        if (range.type != REDIS_REPLY_ARRAY || range.elements < 3) { return std::nullopt; }
        const auto first = integer(*range.element[0], 0, slot_count - 1);
        const auto last = integer(*range.element[1], 0, slot_count - 1);
        const auto master = endpoint(*range.element[2], asked);
        if (!first || !last || *first > *last || !master) { return std::nullopt; }
        table.assign(static_cast<unsigned>(*first), static_cast<unsigned>(*last), *master);
    }
    return table;
}

const Endpoint* SlotTable::owner(unsigned slot) const noexcept {
    const std::uint16_t place = owners_[slot % slot_count];
    return place == 0 ? nullptr : &nodes_[place - 1U];
}

void SlotTable::assign(unsigned first, unsigned last, const Endpoint& node) {
    auto found = std::find(nodes_.begin(), nodes_.end(), node);
    if (found == nodes_.end()) {
        if (nodes_.size() == slot_count) { return; }  // more nodes than slots
        found = nodes_.insert(nodes_.end(), node);
    }
    const auto place = static_cast<std::uint16_t>(found - nodes_.begin() + 1);
    std::fill(owners_.begin() + first, owners_.begin() + last + 1, place);
}

bool SlotTable::same(const SlotTable& other) const noexcept {
    for (unsigned slot = 0; slot < slot_count; ++slot) {
        const Endpoint* a = owner(slot);
        const Endpoint* b = other.owner(slot);
        if ((a == nullptr) != (b == nullptr) || (a != nullptr && *a != *b)) { return false; }
    }
    return true;
}

}  // namespace ws::redis
