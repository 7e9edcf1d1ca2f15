// The auth hooks of a configuration, by name: the gateway's own and those that other modules have added
// (auth/ws_auth_hook.h), and the locations that use them.
#pragma once

#include "nginx/ngx.h"

#include <string>
#include <string_view>
#include <vector>

#include "auth/ws_auth_hook.h"

namespace ws::nginx {

// One `ws_auth` that isn't off. Read-only after configuration.
struct HookUse {
    const ws_auth_hook_t* hook;
    std::vector<ngx_http_complex_value_t> arguments;
};

class HookRegistry final {
public:
    // That of the configuration that is being read.
    [[nodiscard]] static HookRegistry& of(ngx_conf_t* cf) noexcept;

    [[nodiscard]] const ws_auth_hook_t* find(std::string_view name) const noexcept;
    // "off or redis or ...", for messages.
    [[nodiscard]] std::string choices() const;

    // Keeps the location in mind for check().
    void note(const ws_auth_hook_t& hook, void** location);
    // All that the locations' hooks need, once all modules have their configuration. NGX_ERROR: logged.
    [[nodiscard]] ngx_int_t check(ngx_conf_t* cf) const;

    // ws_auth_registry_t::add
    static ngx_int_t add(ngx_conf_t* cf, const ws_auth_hook_t* hook) noexcept;

private:
    struct Location {
        const ws_auth_hook_t* hook;
        void** conf;
    };

    std::vector<const ws_auth_hook_t*> hooks_;
    std::vector<Location> locations_;
};

}  // namespace ws::nginx
