// The setters of the directives that say what a context is made of, and which header it stands in.
#pragma once

#include "nginx/setters.h"

namespace ws::nginx {

char* set_select(ngx_conf_t* cf, LocationConf& conf);
char* add_field(ngx_conf_t* cf, LocationConf& conf);
char* set_header(ngx_conf_t* cf, LocationConf& conf);

}  // namespace ws::nginx
