#include "auth/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <new>

#include "context/hex.h"

namespace ws::auth {

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw std::bad_alloc();
    }
    std::string text;
    context::append_hex(text, {digest.data(), size});
    return text;
}

}  // namespace ws::auth
