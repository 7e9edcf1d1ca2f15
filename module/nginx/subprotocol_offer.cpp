#include "nginx/subprotocol_offer.h"

#include <algorithm>
#include <string>

#include "nginx/object.h"
#include "nginx/request_headers.h"
#include "websocket/subprotocol.h"

namespace ws::nginx {

namespace {

bool is_subprotocol(const TokenSource& source) noexcept { return source.kind == TokenSource::Kind::subprotocol; }

bool is_token(std::string_view name, const std::vector<TokenSource>& sources) noexcept {
    return std::ranges::any_of(
        sources, [name](const TokenSource& source) { return is_subprotocol(source) && name.starts_with(source.name); });
}

}  // namespace

std::vector<std::string_view> client_offer(const ngx_http_request_t& r) {
    const auto* connection = find_object<Connection>(r.pool, [](const Connection& c) { return !c.offer.empty(); });
    return connection != nullptr ? connection->offer : header_values(r, subprotocol_header);
}

void take_tokens_out_of_offer(Connection& connection) {
    if (!connection.conf->has_hook() || connection.conf->tokens == nullptr) { return; }
    if (std::ranges::none_of(*connection.conf->tokens, is_subprotocol)) { return; }
    ngx_http_request_t& r = *connection.request;
    const auto offered = websocket::offered_subprotocols(header_values(r, subprotocol_header));
    if (!offered) { return; }
    std::string kept;
    bool found = false;
    for (const std::string_view name : *offered) {
        if (is_token(name, *connection.conf->tokens)) {
            found = true;
        } else {
            kept.append(kept.empty() ? "" : ", ").append(name);
        }
    }
    if (!found) { return; }
    connection.offer = client_offer(r);
    if (kept.empty()) {
        hide_header(r, subprotocol_header);
    } else {
        replace_header(r, subprotocol_header, copy(r.pool, kept));
    }
}

}  // namespace ws::nginx
