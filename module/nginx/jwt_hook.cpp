#include "nginx/jwt_hook.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "nginx/object.h"

#if (NGX_HTTP_WS_JWT)
#include "auth/jwt.h"
#endif

namespace ws::nginx {

namespace {

char* set_names(ngx_conf_t* cf, const std::vector<std::string>*& field) {
    if (field != nullptr) { return error(cf, "is duplicate"); }
    auto* names = make_object<std::vector<std::string>>(cf->pool);
    for (const ngx_str_t& param : parameters(cf)) { names->emplace_back(view(param)); }
    field = names;
    return ok();
}

}  // namespace

char* set_jwt_issuer(ngx_conf_t* cf, LocationConf& conf) { return set_names(cf, conf.jwt_issuers); }

char* set_jwt_audience(ngx_conf_t* cf, LocationConf& conf) { return set_names(cf, conf.jwt_audiences); }

#if (NGX_HTTP_WS_JWT)

namespace {

constexpr std::size_t largest_file = 1024 * 1024;

// Empty if it can't be read; then errno says why.
std::string content_of(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) { return {}; }
    std::string content(largest_file + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(file.gcount()));
    return content;
}

ws_auth_watch_t* ask(const ws_auth_question_t* question, ws_auth_answer_t answer) noexcept try {
    const LocationConf& conf = location_conf(question->request);
    auth::JwtPolicy policy;
    if (conf.jwt_issuers != nullptr) { policy.issuers = *conf.jwt_issuers; }
    if (conf.jwt_audiences != nullptr) { policy.audiences = *conf.jwt_audiences; }
    policy.leeway = auth::Milliseconds(conf.jwt_leeway);
    const ngx_time_t* clock = ngx_timeofday();
    const auto now = std::chrono::seconds(clock->sec) + auth::Milliseconds(clock->msec);
    std::string claims;
    const auth::Verdict verdict = auth::verify_jwt(auth::view(question->token), *conf.jwt_keys, policy, now, claims);
    answer.tell(answer.data, &verdict);
    return nullptr;
} catch (...) { return nullptr; }

const char* check(ngx_conf_t*, void** location) noexcept {
    const auto& conf = *static_cast<LocationConf*>(location[ngx_http_ws_module.ctx_index]);
    return conf.jwt_keys != nullptr ? nullptr : "needs a key: add \"ws_jwt_key_file FILE;\" at this level or above";
}

}  // namespace

// FILE [alg=NAME]
char* add_jwt_key_file(ngx_conf_t* cf, LocationConf& conf) {
    static constexpr std::string_view name = "alg=";
    const auto params = parameters(cf);
    std::string_view algorithm;
    if (params.size() == 2) {
        const std::string_view option = view(params[1]);
        algorithm = option.substr(std::min(name.size(), option.size()));
        if (!option.starts_with(name) || !auth::is_jwt_algorithm(algorithm)) {
            return wrong_value(cf, option, "alg=NAME, where NAME is HS, RS or ES with 256, 384 or 512");
        }
    }
    ngx_str_t path = copy(cf->pool, view(params[0]));
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) { return static_cast<char*>(NGX_CONF_ERROR); }
    errno = 0;
    std::string content = content_of(reinterpret_cast<const char*>(path.data));
    if (content.empty() && errno != 0) {
        return error(cf, "can't read \"" + std::string(view(path)) + "\": " + std::strerror(errno));
    }
    // Only this level's keys are ever added to: they become read-only when levels are merged.
    auto* keys = const_cast<auth::JwtKeys*>(conf.jwt_keys);
    if (keys == nullptr) {
        keys = make_object<auth::JwtKeys>(cf->pool);
        conf.jwt_keys = keys;
    }
    const char* wrong = content.size() > largest_file ? "is larger than 1m" : keys->add(content, algorithm);
    explicit_bzero(content.data(), content.size());
    return wrong == nullptr ? ok() : error(cf, "\"" + std::string(view(path)) + "\" " + wrong);
}

#else

namespace {

constexpr const char* not_built = "needs a gateway that was built with cjose (Debian: libcjose-dev)";

ws_auth_watch_t* ask(const ws_auth_question_t*, ws_auth_answer_t) noexcept { return nullptr; }

const char* check(ngx_conf_t*, void**) noexcept { return not_built; }

}  // namespace

char* add_jwt_key_file(ngx_conf_t* cf, LocationConf&) { return error(cf, not_built); }

#endif

const ws_auth_hook_t jwt_hook{WS_AUTH_HOOK_VERSION, 0, "jwt", 0, 0, check, ask};

}  // namespace ws::nginx
