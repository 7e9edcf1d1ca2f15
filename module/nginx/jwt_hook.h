// `ws_auth jwt`: the session is the claims of a signed token. Built where there is cjose; elsewhere the directives say so.
#pragma once

#include "nginx/ngx.h"

#include "auth/ws_auth_hook.h"
#include "nginx/setters.h"

namespace ws::nginx {

extern const ws_auth_hook_t jwt_hook;

char* add_jwt_key_file(ngx_conf_t* cf, LocationConf& conf);
char* set_jwt_issuer(ngx_conf_t* cf, LocationConf& conf);
char* set_jwt_audience(ngx_conf_t* cf, LocationConf& conf);

}  // namespace ws::nginx
