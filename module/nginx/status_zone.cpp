#include "nginx/status_zone.h"

#include <string>

namespace ws::nginx {

namespace {

std::string zone_name() { return "ws_status:" + std::to_string(status::layout_version); }

ngx_int_t init_zone(ngx_shm_zone_t* zone, void* former) noexcept {
    if (former != nullptr) {
        zone->data = former;
        return NGX_OK;
    }
    auto* pool = reinterpret_cast<ngx_slab_pool_t*>(zone->shm.addr);
    void* memory = ngx_slab_alloc(pool, sizeof(status::Board));
    if (memory == nullptr) { return NGX_ERROR; }
#if (NGX_DEBUG_MALLOC)
    ngx_memzero(memory, sizeof(status::Board));  // otherwise it is the kernel's, and most of it is never touched
#endif
    zone->data = status::Board::create(memory);
    return zone->data != nullptr ? NGX_OK : NGX_ERROR;
}

}  // namespace

ngx_int_t StatusZone::add(ngx_conf_t* cf) noexcept try {
    ngx_str_t name = copy(cf->pool, zone_name());
    // Beside the board, nginx's allocator needs some 32 bytes for each page.
    const std::size_t size = sizeof(status::Board) + sizeof(status::Board) / 64 + 16 * ngx_pagesize;
    ngx_shm_zone_t* zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_ws_module);
    if (zone == nullptr) { return NGX_ERROR; }
    zone->init = init_zone;
    return NGX_OK;
} catch (...) { return NGX_ERROR; }

StatusZone::StatusZone(ngx_cycle_t* cycle) noexcept {
    for (ngx_list_part_t* part = &cycle->shared_memory.part; part != nullptr; part = part->next) {
        auto* zones = static_cast<ngx_shm_zone_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; ++i) {
            if (zones[i].tag == &ngx_http_ws_module) { zone_ = &zones[i]; }
        }
    }
}

std::size_t StatusZone::server(std::string_view name) const noexcept {
    // nginx's own lock: the master opens it when its holder is killed.
    ngx_shmtx_t& mutex = reinterpret_cast<ngx_slab_pool_t*>(zone_->shm.addr)->mutex;
    ngx_shmtx_lock(&mutex);
    const std::size_t place = board().server(name);
    ngx_shmtx_unlock(&mutex);
    return place;
}

}  // namespace ws::nginx
