#include "nginx/hook_registry.h"

#include <algorithm>
#include <cctype>

#include "nginx/main_conf.h"

namespace ws::nginx {

namespace {

bool is_name(std::string_view name) noexcept {
    return !name.empty() && name != "off" && std::ranges::all_of(name, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
}

// What is wrong with a hook that another module wants to add, or null.
const char* fault(const HookRegistry& registry, const ws_auth_hook_t& hook) noexcept {
    if (hook.name == nullptr || !is_name(hook.name)) { return "its name must be letters, digits, '_' and '-'"; }
    if (hook.ask == nullptr) { return "it has no ask()"; }
    if (hook.min_arguments > hook.max_arguments) { return "it wants more arguments than it takes"; }
    if (registry.find(hook.name) != nullptr) { return "there is one of this name already"; }
    return nullptr;
}

}  // namespace

HookRegistry& HookRegistry::of(ngx_conf_t* cf) noexcept { return *main_conf(cf).hooks; }

const ws_auth_hook_t* HookRegistry::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find_if(hooks_, [name](const ws_auth_hook_t* hook) { return hook->name == name; });
    return found != hooks_.end() ? *found : nullptr;
}

std::string HookRegistry::choices() const {
    std::string names = "off";
    for (const ws_auth_hook_t* hook : hooks_) { names.append(" or ").append(hook->name); }
    return names;
}

void HookRegistry::note(const ws_auth_hook_t& hook, void** location) { locations_.push_back({&hook, location}); }

ngx_int_t HookRegistry::check(ngx_conf_t* cf) const {
    for (const Location& location : locations_) {
        const char* missing = location.hook->check != nullptr ? location.hook->check(cf, location.conf) : nullptr;
        if (missing != nullptr) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"ws_auth %s\" %s", location.hook->name, missing);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

ngx_int_t HookRegistry::add(ngx_conf_t* cf, const ws_auth_hook_t* hook) noexcept try {
    HookRegistry& registry = of(cf);
    if (const char* wrong = fault(registry, *hook)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "auth hook \"%s\" can't be added: %s",
                           hook->name != nullptr ? hook->name : "", wrong);
        return NGX_ERROR;
    }
    registry.hooks_.push_back(hook);
    return NGX_OK;
} catch (...) { return NGX_ERROR; }

}  // namespace ws::nginx
