// Texts that point into memory of nginx's, copied before that goes.
#pragma once

#include "nginx/ngx.h"

#include <memory>

namespace ws::nginx {

// Copies the texts that `each` visits, with a NUL after each as nginx has it in header lines, and points them to the copies.
// Throws std::bad_alloc.
template <class Each>
std::unique_ptr<u_char[]> own_texts(Each each) {
    std::size_t size = 0;
    each([&size](u_char*&, std::size_t length) { size += length + 1; });
    auto memory = std::make_unique_for_overwrite<u_char[]>(size);
    u_char* at = memory.get();
    each([&at](u_char*& text, std::size_t length) {
        if (length > 0) { std::memcpy(at, text, length); }
        at[length] = '\0';
        text = at;
        at += length + 1;
    });
    return memory;
}

}  // namespace ws::nginx
