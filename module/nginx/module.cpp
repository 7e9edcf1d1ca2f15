// The module as nginx sees it.
#include "nginx/ngx.h"

#include "auth/variable_hook.h"
#include "nginx/admission.h"
#include "nginx/detached_request.h"
#include "nginx/handshake_filter.h"
#include "nginx/jwt_hook.h"
#include "nginx/location_conf.h"
#include "nginx/log_handler.h"
#include "nginx/main_conf.h"
#include "nginx/redis_hook.h"
#include "nginx/status_zone.h"
#include "nginx/variables.h"
#include "nginx/worker.h"

namespace {

ngx_int_t preconfiguration(ngx_conf_t* cf) noexcept {
    for (const ws_auth_hook_t* hook : {&ws::nginx::redis_hook, &ws::nginx::jwt_hook, &ws::auth::variable_hook}) {
        if (ws_auth_add_hook(cf, hook) != NGX_OK) { return NGX_ERROR; }
    }
    return ws::nginx::add_variables(cf);
}

ngx_int_t postconfiguration(ngx_conf_t* cf) noexcept {
    auto* core = static_cast<ngx_http_core_main_conf_t*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto* handler =
        static_cast<ngx_http_handler_pt*>(ngx_array_push(&core->phases[NGX_HTTP_PRECONTENT_PHASE].handlers));
    if (handler == nullptr) { return NGX_ERROR; }
    *handler = ws::nginx::admit;
    ws::nginx::install_handshake_filter();
    ws::nginx::install_detached_filters();
    if (ws::nginx::install_detached_phases(cf) != NGX_OK || ws::nginx::install_log_handler(cf) != NGX_OK) {
        return NGX_ERROR;
    }
    if (ws::nginx::StatusZone::add(cf) != NGX_OK) { return NGX_ERROR; }
    return ws::nginx::main_conf(cf).hooks->check(cf);
}

ngx_http_module_t context = {
    preconfiguration,
    postconfiguration,
    ws::nginx::create_main_conf,
    nullptr,  // init main
    nullptr,
    nullptr,  // server
    ws::nginx::create_location_conf,
    ws::nginx::merge_location_conf,
};

}  // namespace

extern "C" {

ngx_module_t ngx_http_ws_module = {
    NGX_MODULE_V1,
    &context,
    ws::nginx::directives,
    NGX_HTTP_MODULE,
    nullptr,  // init master
    nullptr,  // init module
    ws::nginx::init_process,
    nullptr,
    nullptr,  // threads
    ws::nginx::exit_process,
    nullptr,  // exit master
    NGX_MODULE_V1_PADDING,
};
}
