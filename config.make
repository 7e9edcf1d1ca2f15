# Sourced at the end of nginx's auto/make: flags for our own objects only, since nginx
# compiles its C files with the same CFLAGS. NGX_WS_CXXFLAGS comes from the environment
# (the warnings of our own builds).

for ngx_ws_src in $ngx_addon_dir/module/*/*.cpp
do
    ngx_ws_obj=`dirname $ngx_ws_src`
    ngx_ws_obj=`basename $ngx_ws_obj`/`basename $ngx_ws_src .cpp`.$ngx_objext

    echo "$NGX_OBJS/addon/$ngx_ws_obj: CFLAGS += -std=c++20 -fvisibility=hidden $NGX_WS_CXXFLAGS" >> $NGX_MAKEFILE
done
