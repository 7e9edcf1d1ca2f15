// C++ objects that live in an nginx pool and are destroyed with it.
#pragma once

#include "nginx/ngx.h"

#include <utility>

namespace ws::nginx {

template <class T>
void destroy_object(void* object) {
    static_cast<T*>(object)->~T();
}

// The cleanup slot is the storage, so an object can be found again by its destructor (see find_object).
// Throws std::bad_alloc, and what the constructor throws.
template <class T, class... Args>
T* make_object(ngx_pool_t* pool, Args&&... args) {
    static_assert(alignof(T) <= NGX_ALIGNMENT);
    ngx_pool_cleanup_t* slot = ngx_pool_cleanup_add(pool, sizeof(T));
    if (slot == nullptr) { throw std::bad_alloc(); }
    T* object = new (slot->data) T(std::forward<Args>(args)...);
    slot->handler = destroy_object<T>;
    return object;
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
