# Sourced at the end of nginx's auto/make: flags for our own objects only, since nginx
# compiles its C files with the same CFLAGS. NGX_WS_CXXFLAGS comes from the environment
# (the warnings of our own builds). nginx's default is -O, at which compilers leave C++'s small
# functions as calls; who asks for an optimization gets that.

case " $NGX_CC_OPT" in
    *" -O"*) ngx_ws_optimize= ;;
    *) ngx_ws_optimize=-O2 ;;
esac

for ngx_ws_src in $ngx_addon_dir/module/*/*.cpp
do
    ngx_ws_obj=`dirname $ngx_ws_src`
    ngx_ws_obj=`basename $ngx_ws_obj`/`basename $ngx_ws_src .cpp`.$ngx_objext

    echo "$NGX_OBJS/addon/$ngx_ws_obj: CFLAGS += -std=c++20 -fvisibility=hidden $ngx_ws_optimize $NGX_WS_CXXFLAGS" >> $NGX_MAKEFILE
done
