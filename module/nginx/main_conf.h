// What a configuration has once, for all of http.
#pragma once

#include "nginx/ngx.h"

#include <vector>

#include "nginx/hook_registry.h"

namespace ws::nginx {

struct ControlSettings;

struct MainConf {
    ws_auth_registry_t registry;  // first: other modules look for it here (auth/ws_auth_hook.h)
    HookRegistry* hooks;
    std::vector<const ControlSettings*>* controls;  // of all ws_control
};

[[nodiscard]] inline MainConf& main_conf(ngx_conf_t* cf) noexcept {
    return *static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_ws_module));
}

// For ngx_http_module_t.
void* create_main_conf(ngx_conf_t* cf) noexcept;

}  // namespace ws::nginx
