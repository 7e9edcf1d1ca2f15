// The shared memory with the counters of all workers (status/board.h). It outlives reloads: nginx knows it again by its name,
// which has the layout's version in it, so that a module of another version takes a zone of its own.
#pragma once

#include "nginx/ngx.h"

#include <string_view>

#include "status/board.h"

namespace ws::nginx {

class StatusZone {
public:
    // From postconfiguration.
    [[nodiscard]] static ngx_int_t add(ngx_conf_t* cf) noexcept;

    // That of a cycle which has been started.
    explicit StatusZone(ngx_cycle_t* cycle) noexcept;

    [[nodiscard]] status::Board& board() const noexcept { return *static_cast<status::Board*>(zone_->data); }

    // The number of a Redis server, the same in all workers.
    [[nodiscard]] std::size_t server(std::string_view name) const noexcept;

private:
    ngx_shm_zone_t* zone_ = nullptr;
};

}  // namespace ws::nginx
