#include "nginx/main_conf.h"

#include "nginx/object.h"

namespace ws::nginx {

void* create_main_conf(ngx_conf_t* cf) noexcept try {
    auto* conf = make_object<MainConf>(cf->pool);
    conf->registry = {WS_AUTH_HOOK_VERSION, HookRegistry::add};
    conf->hooks = make_object<HookRegistry>(cf->pool);
    conf->controls = make_object<std::vector<const ControlSettings*>>(cf->pool);
    return conf;
} catch (...) { return nullptr; }

}  // namespace ws::nginx
