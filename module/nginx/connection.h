// One client's request in a location of ours and, after the 101, its WebSocket: what is known about it, from the first
// look at the request to the log line at its end. Goes with the request's pool, while it has a request.
#pragma once

#include "nginx/ngx.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/verdict.h"
#include "context/context.h"
#include "nginx/connection_id.h"
#include "nginx/location_conf.h"
#include "nginx/owned_event.h"
#include "nginx/request_record.h"
#include "status/connection_meter.h"
#include "websocket/extensions.h"
#include "websocket/follower.h"
#include "websocket/handshake.h"

namespace ws::nginx {

class HttpBackend;
class Tunnel;

// A WebSocket's figures, for the access log.
struct Summary {
    status::Traffic traffic;
    std::uint16_t close_code = 0;  // 0: it is open
    status::ClosedBy closed_by = status::ClosedBy::gateway;
};

// What $ws_auth_status says.
enum class AuthStatus {
    off,      // no hook in this location
    pending,  // asked, not answered
    allowed,
    anonymous,    // let in without a session (ws_auth_optional)
    unchecked,    // let in though the store could not be asked (ws_auth_fail open)
    no_token,     // the request has none, or one that can't be a token
    denied,       // the session does not exist
    unavailable,  // Redis did not answer
    invalid,      // there is a session, and no context can be made from it
    origin,       // refused for its Origin
    malformed,    // refused before the hook was asked
};

[[nodiscard]] std::string_view name(AuthStatus status) noexcept;
// Counts a request's result, if it is one.
void count(AuthStatus status) noexcept;

struct EndWatch {
    void operator()(ws_auth_watch_t* watch) const noexcept { watch->end(watch); }
};
using Watch = std::unique_ptr<ws_auth_watch_t, EndWatch>;

struct Connection {
    explicit Connection(ngx_http_request_t* r);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // The request's connection, or null; found again after an internal redirect, which clears nginx's own pointers.
    [[nodiscard]] static Connection* of(ngx_http_request_t* r) noexcept;
    // Makes one. Throws std::bad_alloc.
    [[nodiscard]] static Connection& make(ngx_http_request_t* r);

    // Of the request, without arguments.
    [[nodiscard]] std::string_view path() const noexcept {
        return request != nullptr ? view(request->uri) : record->uri();
    }

    // The request has nothing of other modules or locations, but its upstream, that goes with its pool.
    [[nodiscard]] bool alone() const noexcept;
    // The request is about to be freed, and this object stays: for whoever does it to keep.
    void leave_request() noexcept;
    // It is made again. Throws std::bad_alloc.
    void join_request(ngx_http_request_t& r);

    // Decides about the request; see nginx/hook_question.h.
    using Judge = ngx_int_t (*)(Connection&, const auth::Verdict&);

    ngx_http_request_t* request;     // null while it is released (nginx/released_request.h)
    ngx_connection_t* const client;  // its connection
    const LocationConf* conf;        // of the location that judged the request
    const LocationConf* hook_conf =
        nullptr;  // of the location whose hook was asked: it says what the context is made of
    const ConnectionId id;

    websocket::RequestKind kind = websocket::RequestKind::plain;
    AuthStatus auth = AuthStatus::off;
    ngx_int_t verdict = NGX_AGAIN;  // of the phase handler: NGX_DECLINED lets the request pass
    std::string token;
    std::vector<std::string_view> stripped;  // the client's Cookie lines, when the token was taken out of the request's
    std::vector<std::string_view>
        offer;  // its Sec-WebSocket-Protocol lines, when a token was taken out of the request's
    std::shared_ptr<const context::Context> context;
    std::shared_ptr<const context::Context>
        context_sent;  // in a header, whose value it keeps: the context may be another by now

    Watch watch;            // on the session
    Judge judge = nullptr;  // of the hook's first answer
    bool asking = false;    // the hook's ask() is running
    bool answered = false;
    std::chrono::microseconds lookup{};  // how long the hook took; while it is asked, when that began
    bool cached = false;                 // the hook knew already
    std::uint64_t refreshes = 0;         // how often the session has given it another context
    ngx_event_t resume{};                // posted when the hook has answered after ask()
    OwnedEvent<Connection> expiry;       // timer: the session ends
    std::int64_t expires = 0;            // then, in ms since the epoch; 0: it doesn't
    std::vector<context::Field> fields;  // ws_context_field, evaluated once: a context made anew has the same
    bool session_ended = false;          // before there was a tunnel to end
    bool session_changed = false;        // before there was a tunnel to be told

    ngx_int_t (*create_request)(ngx_http_request_t*) = nullptr;  // proxy's own, under ws_pass
    std::string upgrade_request;                                 // what ws_pass sends, until the 101
    websocket::Negotiation extensions;                           // with the client, in envelope delivery
    std::string traceparent;                                     // empty where ws_traceparent is off
    std::string_view subprotocol;                                // the one that the location picked
    ngx_http_handler_pt content_handler = nullptr;               // the location's own, in http delivery
    std::unique_ptr<RequestRecord> record;                       // in http delivery, and once the request is released
    std::unique_ptr<HttpBackend> opening;                        // until the tunnel has it
    bool takeover = false;                                       // a good 101 is on its way to the client
    std::unique_ptr<Tunnel> tunnel;
    std::optional<Summary> summary;              // once there was a tunnel, and it is gone
    std::optional<websocket::Follower> refused;  // of the client's frames, when the WebSocket was opened to be closed

private:
    void end_with(ngx_http_request_t* r);
};

}  // namespace ws::nginx
