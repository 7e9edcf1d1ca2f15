#include "nginx/redis_hook.h"

#include <string_view>
#include <vector>

#include "nginx/location_conf.h"
#include "nginx/template.h"
#include "nginx/worker.h"

namespace ws::nginx {

namespace {

ws_auth_watch_t* ask(const ws_auth_question_t* question, ws_auth_answer_t answer) noexcept try {
    ngx_http_request_t* r = question->request;
    const LocationConf& conf = location_conf(r);
    const std::vector<std::string_view> command = evaluate(r, *conf.command);
    return Worker::current()
        ->sessions(*conf.redis)
        .watch(
            {command, question->live != 0, auth::Milliseconds(question->recheck), auth::Milliseconds(question->cache)},
            [answer](const auth::Verdict& verdict) { answer.tell(answer.data, &verdict); })
        .release();
} catch (...) { return nullptr; }

const char* check(ngx_conf_t*, void** location) noexcept {
    const auto& conf = *static_cast<LocationConf*>(location[ngx_http_ws_module.ctx_index]);
    return conf.redis != nullptr ? nullptr
                                 : "needs a server: add \"ws_redis redis://HOST:PORT;\" at this level or above";
}

}  // namespace

const ws_auth_hook_t redis_hook{WS_AUTH_HOOK_VERSION, 0, "redis", 0, 0, check, ask};

}  // namespace ws::nginx
