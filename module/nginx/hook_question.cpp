#include "nginx/hook_question.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

#include "nginx/context_builder.h"
#include "nginx/template.h"
#include "nginx/tunnel.h"
#include "nginx/worker.h"

namespace ws::nginx {

namespace {

// nginx compares timers by the sign of their difference, so one of years would be over at once.
constexpr std::int64_t longest_timer = 24 * 3600 * 1000;

std::chrono::microseconds now() noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

void begin_lookup(Connection& connection) noexcept {
    connection.lookup = now();
    ngx_log_error(NGX_LOG_INFO, connection.client->log, 0, "ws: lookup connection=%*s", connection.id.size(),
                  connection.id.data());
}

void end_lookup(Connection& connection, const auth::Verdict& verdict) noexcept {
    connection.lookup = now() - connection.lookup;
    connection.cached = verdict.cached != 0;
    Worker::current()->counters().add_auth_duration(static_cast<std::uint64_t>(connection.lookup.count()));
}

void note_admission(const Connection& connection) noexcept {
    count(connection.auth);
    ngx_log_error(NGX_LOG_INFO, connection.client->log, 0, "ws: allowed connection=%*s lookup=%T.%06Ts%s",
                  connection.id.size(), connection.id.data(), static_cast<time_t>(connection.lookup.count() / 1000000),
                  static_cast<time_t>(connection.lookup.count() % 1000000), connection.cached ? " cached" : "");
}

void note_change(Connection& connection) noexcept {
    ++connection.refreshes;
    Worker::current()->counters().context_changes.add();
    ngx_log_error(NGX_LOG_INFO, connection.client->log, 0, "ws: context changed, connection=%*s", connection.id.size(),
                  connection.id.data());
}

void on_resume(ngx_event_t* event) noexcept {
    auto& connection = *static_cast<Connection*>(event->data);
    ngx_http_request_t* r = connection.request;
    ngx_connection_t* c = r->connection;
    if (connection.auth != AuthStatus::allowed) { connection.watch.reset(); }
    r->read_event_handler = ngx_http_block_reading;
    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}

void end_session(Connection& connection) {
    connection.session_ended = true;
    if (connection.tunnel != nullptr) { connection.tunnel->session_changed(); }
}

std::int64_t milliseconds_since_epoch() noexcept {
    const ngx_time_t* clock = ngx_timeofday();
    return static_cast<std::int64_t>(clock->sec) * 1000 + static_cast<std::int64_t>(clock->msec);
}

void arm_expiry(Connection& connection) noexcept {
    const std::int64_t left =
        std::clamp<std::int64_t>(connection.expires - milliseconds_since_epoch(), 0, longest_timer);
    ngx_add_timer(&connection.expiry, static_cast<ngx_msec_t>(left));
}

void on_expiry(ngx_event_t* event) noexcept {
    Connection& connection = OwnedEvent<Connection>::owner_of(event);
    if (milliseconds_since_epoch() < connection.expires) { return arm_expiry(connection); }
    try {
        end_session(connection);
    } catch (...) {
        // Without memory for the notice: later.
        ngx_add_timer(event, 1000);
    }
}

// When the session ends by itself, as the hook says, unless it says otherwise later.
void expire_at(Connection& connection, std::int64_t time) noexcept {
    ngx_event_t& timer = connection.expiry;
    if (timer.timer_set) { ngx_del_timer(&timer); }
    connection.expires = time;
    if (time == 0 || connection.kind != websocket::RequestKind::upgrade) { return; }
    timer.handler = on_expiry;
    timer.data = connection.client;
    timer.log = connection.client->log;
    timer.cancelable = 1;  // holds no worker that has to go
    arm_expiry(connection);
}

// The session of a connection that has been let in is another now, or gone.
void on_change(Connection& connection, const auth::Verdict& verdict) {
    if (verdict.status == WS_AUTH_UNAVAILABLE) { return; }
    ContextResult result;
    if (verdict.status == WS_AUTH_ALLOWED) {
        result = build_context(connection, auth::view(verdict.session));
        expire_at(connection, verdict.expires);
    }
    const LocationConf& conf = *connection.conf;
    if (result.context == nullptr ||
        (conf.delivery_kind() == DeliveryKind::http && result.context->json().size() > conf.max_http_context())) {
        return end_session(connection);
    }
    // Otherwise only its time to live has changed, or what the backend doesn't see.
    if (result.context->json() != connection.context->json()) {
        connection.context = std::move(result.context);
        note_change(connection);
        if (connection.tunnel != nullptr) {
            connection.tunnel->session_changed();
        } else {
            connection.session_changed = true;
        }
    }
}

void on_first_answer(Connection& connection, const auth::Verdict& verdict) noexcept {
    connection.answered = true;
    end_lookup(connection, verdict);
    try {
        (void)connection.judge(connection, verdict);
        if (connection.auth == AuthStatus::allowed) {
            expire_at(connection, verdict.expires);
            note_admission(connection);
        }
    } catch (...) {
        connection.verdict = NGX_HTTP_INTERNAL_SERVER_ERROR;
        connection.auth = AuthStatus::invalid;
        count(connection.auth);
    }
    // In an event that isn't the request's, the request goes on from an event of its own.
    if (!connection.asking) { ngx_post_event(&connection.resume, &ngx_posted_events); }
}

// ws_auth_answer_t::tell
void on_answer(void* data, const auth::Verdict* verdict) noexcept {
    auto& connection = *static_cast<Connection*>(data);
    if (!connection.answered) { return on_first_answer(connection, *verdict); }
    if (connection.auth != AuthStatus::allowed) { return; }
    try {
        on_change(connection, *verdict);
    } catch (...) {
        // Without memory for the new context the connection has none that is true; for its end there may be some soon.
        connection.session_ended = true;
        expire_at(connection, milliseconds_since_epoch());
    }
}

}  // namespace

ngx_int_t ask_hook(Connection& connection, Connection::Judge judge) {
    ngx_http_request_t* r = connection.request;
    const LocationConf& conf = *connection.conf;
    const std::vector<std::string_view> words = evaluate(r, conf.hook->arguments);
    std::vector<ws_auth_text_t> arguments;
    for (const std::string_view word : words) { arguments.push_back(auth::text(word)); }
    ws_auth_question_t question{};
    question.token = auth::text(connection.token);
    question.arguments = arguments.data();
    question.narguments = arguments.size();
    question.request = r;
    question.live = conf.live && connection.kind == websocket::RequestKind::upgrade ? 1 : 0;
    question.recheck = static_cast<std::int64_t>(conf.recheck);
    question.cache = static_cast<std::int64_t>(conf.cache);

    begin_lookup(connection);
    connection.auth = AuthStatus::pending;
    connection.hook_conf = &conf;
    connection.judge = judge;
    connection.resume.handler = on_resume;
    connection.resume.data = &connection;
    connection.resume.log = r->connection->log;
    connection.asking = true;
    connection.watch.reset(conf.hook->hook->ask(&question, {on_answer, &connection}));
    if (!connection.answered && connection.watch == nullptr) {
        on_first_answer(connection, auth::refused(WS_AUTH_UNAVAILABLE, "the hook has no answer"));
    }
    connection.asking = false;
    if (!connection.answered) {
        // A client that leaves meanwhile is noticed; one that has left may have done so in the event that brought its request.
        r->read_event_handler = ngx_http_test_reading;
        if (r->connection->read->ready) { ngx_post_event(r->connection->read, &ngx_posted_events); }
    } else if (connection.auth != AuthStatus::allowed) {
        connection.watch.reset();
    }
    return connection.verdict;
}

}  // namespace ws::nginx
