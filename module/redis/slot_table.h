// Which node of a cluster serves which slot: the reply to CLUSTER SLOTS, corrected by what redirections say.
#pragma once

#include "redis/endpoint.h"
#include "redis/reply.h"
#include "redis/slot.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace ws::redis {

class SlotTable final {
public:
    // `asked`: the node that answered, which may leave out its own address. A node that is announced by its name and its address
    // is known by its address. Nothing if the reply is no such table, or an empty one.
    [[nodiscard]] static std::optional<SlotTable> parse(const redisReply& reply, const Endpoint& asked);

    // The slot's master; null: nobody.
    [[nodiscard]] const Endpoint* owner(unsigned slot) const noexcept;

    void assign(unsigned first, unsigned last, const Endpoint& node);

    // All that serve a slot, or did once.
    [[nodiscard]] const std::vector<Endpoint>& nodes() const noexcept { return nodes_; }

    // Do the same nodes serve the same slots?
    [[nodiscard]] bool same(const SlotTable& other) const noexcept;

private:
    std::vector<Endpoint> nodes_;
    std::vector<std::uint16_t> owners_ =
        std::vector<std::uint16_t>(slot_count);  // 0: nobody; else the node's place plus 1
};

}  // namespace ws::redis
