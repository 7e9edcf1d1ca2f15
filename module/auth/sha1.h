// SHA-1 (RFC 3174), which the handshake of RFC 6455 is made with. No secret hangs on it.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <string_view>

namespace ws::auth {

// With OpenSSL, which uses the processor's instructions for it where there are any. What it prepares is kept for the next.
class Sha1 {
public:
    using Digest = std::array<unsigned char, 20>;

    // Of texts, one behind the other. Throws std::bad_alloc.
    [[nodiscard]] Digest of(std::initializer_list<std::string_view> texts);

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    using Context = std::unique_ptr<EVP_MD_CTX, Free>;

    [[nodiscard]] static Context prepared();

    Context context_;
};

}  // namespace ws::auth
