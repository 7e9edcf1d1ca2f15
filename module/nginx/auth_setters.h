// The setters of the directives that say who is let in.
#pragma once

#include "nginx/setters.h"

namespace ws::nginx {

char* set_auth(ngx_conf_t* cf, LocationConf& conf);
char* set_redis(ngx_conf_t* cf, LocationConf& conf);
char* set_tokens(ngx_conf_t* cf, LocationConf& conf);
char* set_secret_file(ngx_conf_t* cf, LocationConf& conf);
char* set_key(ngx_conf_t* cf, LocationConf& conf);
char* set_command(ngx_conf_t* cf, LocationConf& conf);
char* set_origin(ngx_conf_t* cf, LocationConf& conf);
char* set_touch(ngx_conf_t* cf, LocationConf& conf);
char* set_max_session_size(ngx_conf_t* cf, LocationConf& conf);

}  // namespace ws::nginx
