// C++ objects that live in an nginx pool and are destroyed with it.
#pragma once

#include "nginx/ngx.h"

#include <utility>

namespace ws::nginx {

template <class T>
void destroy_object(void* object) {
    delete static_cast<T*>(object);
}

// The object itself lies outside of the pool, which grows by 4 KiB at a time; it can be found again by its cleanup (see
// find_object). Throws std::bad_alloc, and what the constructor throws.
template <class T, class... Args>
T* make_object(ngx_pool_t* pool, Args&&... args) {
    ngx_pool_cleanup_t* slot = ngx_pool_cleanup_add(pool, 0);
    if (slot == nullptr) { throw std::bad_alloc(); }
    T* object = new T(std::forward<Args>(args)...);
    slot->data = object;
    slot->handler = destroy_object<T>;
    return object;
}

// The object stays when the pool goes.
template <class T>
void release_object(ngx_pool_t* pool, const T& object) noexcept {
    for (ngx_pool_cleanup_t* slot = pool->cleanup; slot != nullptr; slot = slot->next) {
        if (slot->handler == destroy_object<T> && slot->data == &object) { slot->handler = nullptr; }
    }
}

// The object, made by make_object() in another pool, goes with this one. Throws std::bad_alloc.
template <class T>
void adopt_object(ngx_pool_t* pool, T& object) {
    ngx_pool_cleanup_t* slot = ngx_pool_cleanup_add(pool, 0);
    if (slot == nullptr) { throw std::bad_alloc(); }
    slot->data = &object;
    slot->handler = destroy_object<T>;
}

// The pool's newest object of this type that `matches`, or null.
template <class T, class Matches>
T* find_object(ngx_pool_t* pool, Matches matches) noexcept {
    for (ngx_pool_cleanup_t* slot = pool->cleanup; slot != nullptr; slot = slot->next) {
        if (slot->handler != destroy_object<T>) { continue; }
        T* object = static_cast<T*>(slot->data);
        if (matches(*object)) { return object; }
    }
    return nullptr;
}

}  // namespace ws::nginx
