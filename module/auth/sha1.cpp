#include "auth/sha1.h"

#include <new>

namespace ws::auth {

namespace {

void require(int success) {
    if (success != 1) { throw std::bad_alloc(); }
}

}  // namespace

Sha1::Context Sha1::prepared() {
    Context context(EVP_MD_CTX_new());
    require(context != nullptr ? EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) : 0);
    return context;
}

Sha1::Digest Sha1::of(std::initializer_list<std::string_view> texts) {
    if (context_ == nullptr) { context_ = prepared(); }
    require(EVP_DigestInit_ex(context_.get(), nullptr, nullptr));
    for (const std::string_view text : texts) { require(EVP_DigestUpdate(context_.get(), text.data(), text.size())); }
    Digest digest;
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
    return digest;
}

}  // namespace ws::auth
