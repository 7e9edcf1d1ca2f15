// The interface of auth hooks: what turns a request's token into a session. The gateway's own hooks
// and those of other modules are written against this header and nothing else. docs/hooks.md is its manual.
//
// It is C, so that any nginx module can use it: plain structs and function pointers, no symbols to link with. A module
// includes it after <ngx_http.h>, and calls ws_auth_add_hook() in its preconfiguration; the order in which the modules are
// loaded doesn't matter.
//
// All calls, in both directions, happen in the event loop of a worker process. None may block, throw or longjmp.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Goes up with every change that a module would have to be built again for.
#define WS_AUTH_HOOK_VERSION 1u

struct ngx_conf_s;
struct ngx_http_request_s;

// Not terminated. Laid out like ngx_str_t.
typedef struct {
    size_t len;
    const char* data;
} ws_auth_text_t;

typedef enum {
    WS_AUTH_ALLOWED = 0,      // `session` is the session
    WS_AUTH_DENIED = 1,       // there is no such session: 401, close 4401
    WS_AUTH_UNAVAILABLE = 2,  // it can't be known now: 503
    WS_AUTH_INVALID = 3       // there is something that is no session: 500
} ws_auth_status_t;

typedef struct {
    uint32_t status;         // ws_auth_status_t
    ws_auth_text_t session;  // the text of a JSON object; the location makes its context from it
    ws_auth_text_t detail;   // for the log; never a token, a key or a part of a session
    int64_t expires;  // when an open socket is closed, unless another verdict comes: ms since the epoch; 0: never
    uint32_t cached;  // 1: the session was known already, nobody was asked (for $ws_auth_cached)
} ws_auth_verdict_t;

// How the hook tells. The verdict and its texts need to last until tell() returns. tell() never calls the hook: neither
// ask() nor anything of a watch.
typedef struct {
    void (*tell)(void* data, const ws_auth_verdict_t* verdict);
    void* data;
} ws_auth_answer_t;

// What the hook is asked. Valid until ask() returns, but for `request`, which is there until the first tell() or the watch's end,
// whichever is sooner: an open WebSocket may be without one.
typedef struct {
    ws_auth_text_t token;  // visible ASCII; empty: none (only a hook with WS_AUTH_TOKEN_OPTIONAL is asked then)
    const ws_auth_text_t* arguments;  // what follows the hook's name in `ws_auth`, its variables evaluated
    size_t narguments;
    struct ngx_http_request_s* request;  // for hooks that are nginx modules: their location's configuration, variables
    uint32_t live;                       // 1: what becomes of the session later is wanted as well (ws_auth_live)
    int64_t recheck;                     // ms: how often to look for that where nobody tells the hook (ws_auth_recheck)
    int64_t cache;  // ms: what was read so long ago, and has not changed as far as is known, will do (ws_auth_cache)
} ws_auth_question_t;

// A question under way or, if it is live, an eye on the session. The hook allocates it, as the head of a struct of its own.
typedef struct ws_auth_watch_s ws_auth_watch_t;
struct ws_auth_watch_s {
    // The end: no tell() any more from now on. Frees the watch. Called once for each watch, whatever was told.
    void (*end)(ws_auth_watch_t* watch);

    // From now on the session shall be kept from expiring: every `interval` its time to live is put up to `ttl`, both in
    // ms (ws_auth_touch). At most once, after an `allowed`. Null: the hook can't.
    void (*renew)(ws_auth_watch_t* watch, int64_t ttl, int64_t interval);
};

// The token is optional: the hook is asked without one as well, and ws_auth_token may be missing.
#define WS_AUTH_TOKEN_OPTIONAL 1u

typedef struct {
    uint32_t version;  // WS_AUTH_HOOK_VERSION
    uint32_t flags;
    const char* name;  // for `ws_auth NAME`: letters, digits, '_' and '-'
    uint32_t min_arguments;
    uint32_t max_arguments;

    // At the end of the configuration, for each location (`location` is its array of loc_conf) that has this hook: is there
    // all that it needs? Null, or a sentence for `nginx -t` that says what to add. The member may be null.
    const char* (*check)(struct ngx_conf_s* cf, void** location);

    // A question. The first tell() is the answer; it may come before ask() returns or later. If the question is live and the
    // answer was `allowed`, each later one tells a change: `allowed` with the session as it is now, `denied` when it is
    // gone, `invalid` when it is a session no more. No tell() follows a first one that isn't `allowed`.
    // Null: nothing will be told after ask() has returned. Null without an answer counts as `unavailable`.
    ws_auth_watch_t* (*ask)(const ws_auth_question_t* question, ws_auth_answer_t answer);
} ws_auth_hook_t;

#ifdef _NGX_HTTP_H_INCLUDED_

// The first member of ngx_http_ws_module's main configuration.
typedef struct {
    uint32_t version;  // WS_AUTH_HOOK_VERSION of the gateway
    ngx_int_t (*add)(ngx_conf_t* cf, const ws_auth_hook_t* hook);
} ws_auth_registry_t;

// Makes `hook` known as `ws_auth NAME` in this configuration. To be called in preconfiguration; the hook is read-only and
// stays as long as the module is loaded. NGX_ERROR: it can't be; the log says why, and the configuration has failed.
static inline ngx_int_t ws_auth_add_hook(ngx_conf_t* cf, const ws_auth_hook_t* hook) {
    const char* gateway = "ngx_http_ws_module";
    for (ngx_uint_t i = 0; cf->cycle->modules[i] != NULL; ++i) {
        const ngx_module_t* module = cf->cycle->modules[i];
        if (module->type != NGX_HTTP_MODULE || ngx_strcmp(module->name, gateway) != 0) { continue; }
        void** main_conf = ((ngx_http_conf_ctx_t*)cf->ctx)->main_conf;
        const ws_auth_registry_t* registry = (const ws_auth_registry_t*)main_conf[module->ctx_index];
        if (registry == NULL || registry->version != WS_AUTH_HOOK_VERSION || hook->version != WS_AUTH_HOOK_VERSION) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "auth hook \"%s\" is for version %uD of %s's hooks, which has version %uD: build them "
                               "from the same sources",
                               hook->name, hook->version, gateway, registry == NULL ? 0 : registry->version);
            return NGX_ERROR;
        }
        return registry->add(cf, hook);
    }
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "auth hook \"%s\" needs %s, which is not loaded: add its load_module",
                       hook->name, gateway);
    return NGX_ERROR;
}

#endif

#ifdef __cplusplus
}
#endif
