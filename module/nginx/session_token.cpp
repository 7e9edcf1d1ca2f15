#include "nginx/session_token.h"

#include <optional>
#include <utility>
#include <vector>

#include "context/cookie.h"
#include "context/token.h"
#include "nginx/request_headers.h"
#include "nginx/subprotocol_offer.h"
#include "websocket/subprotocol.h"

namespace ws::nginx {

namespace {

using Status = SessionToken::Status;

SessionToken from_cookie(std::span<const std::string_view> cookies, std::string_view name) {
    const context::CookieResult cookie = context::find_cookie(cookies, name);
    switch (cookie.status) {
        case context::CookieStatus::found: return {Status::found, std::string(cookie.value)};
        case context::CookieStatus::absent: return {Status::absent, {}};
        case context::CookieStatus::duplicate:
        case context::CookieStatus::malformed: break;
    }
    return {Status::ambiguous, {}};
}

SessionToken from_signed_cookie(std::span<const std::string_view> cookies, std::string_view name,
                                const auth::CookieSecrets& secrets) {
    SessionToken cookie = from_cookie(cookies, name);
    if (cookie.status != Status::found || cookie.value.empty()) { return cookie; }
    std::optional<std::string> id = secrets.unsigned_id(cookie.value);
    return id ? SessionToken{Status::found, *std::move(id)} : SessionToken{Status::forged, {}};
}

SessionToken from_argument(const ngx_http_request_t& r, std::string_view name) {
    context::ArgumentResult argument = context::find_argument(view(r.args), name);
    switch (argument.status) {
        case context::ArgumentStatus::found: return {Status::found, std::move(argument.value)};
        case context::ArgumentStatus::absent: return {Status::absent, {}};
        case context::ArgumentStatus::duplicate:
        case context::ArgumentStatus::malformed: break;
    }
    return {Status::ambiguous, {}};
}

SessionToken from_bearer(const ngx_http_request_t& r) {
    const HeaderValue header = header_value(r, "Authorization");
    if (header.lines > 1) { return {Status::ambiguous, {}}; }
    if (header.lines == 0) { return {Status::absent, {}}; }
    const auto token = context::bearer_token(header.first);
    return token ? SessionToken{Status::found, std::string(*token)} : SessionToken{Status::absent, {}};
}

SessionToken from_header(const ngx_http_request_t& r, std::string_view name) {
    const HeaderValue header = header_value(r, name);
    if (header.lines > 1) { return {Status::ambiguous, {}}; }
    return header.lines == 0 ? SessionToken{Status::absent, {}}
                             : SessionToken{Status::found, std::string(header.first)};
}

SessionToken from_subprotocol(const ngx_http_request_t& r, std::string_view prefix) {
    const std::vector<std::string_view> lines = client_offer(r);
    const auto offered = websocket::offered_subprotocols(lines);
    if (!offered) { return {Status::ambiguous, {}}; }
    SessionToken token;
    for (const std::string_view name : *offered) {
        if (!name.starts_with(prefix)) { continue; }
        if (token.status == Status::found) { return {Status::ambiguous, {}}; }
        token = {Status::found, std::string(name.substr(prefix.size()))};
    }
    return token;
}

SessionToken from(const ngx_http_request_t& r, std::span<const std::string_view> cookies, const LocationConf& conf,
                  const TokenSource& source) {
    switch (source.kind) {
        case TokenSource::Kind::cookie: return from_cookie(cookies, source.name);
        case TokenSource::Kind::signed_cookie: return from_signed_cookie(cookies, source.name, *conf.secrets);
        case TokenSource::Kind::argument: return from_argument(r, source.name);
        case TokenSource::Kind::subprotocol: return from_subprotocol(r, source.name);
        case TokenSource::Kind::bearer: return from_bearer(r);
        case TokenSource::Kind::header: return from_header(r, source.name);
    }
    return {};
}

}  // namespace

SessionToken find_session_token(const ngx_http_request_t& r, std::span<const std::string_view> cookies,
                                const LocationConf& conf) {
    for (const TokenSource& source : *conf.tokens) {
        SessionToken token = from(r, cookies, conf, source);
        token.source = &source;
        if (token.status == Status::ambiguous || token.status == Status::forged) { return token; }
        if (token.status == Status::found && context::valid_token(token.value)) { return token; }
    }
    return {};
}

}  // namespace ws::nginx
