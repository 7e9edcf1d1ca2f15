#include "nginx/ngx.h"

#include "nginx/redis_connection.h"

#include "nginx/redis_client.h"
#include "redis/reply.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace ws::nginx {

using Status = redis::Outcome::Status;

namespace {

constexpr std::size_t read_size = 16 * 1024;

// What one event may read, so that no flood of reports holds up the event loop. What is left has its turn in the next.
constexpr int reads_at_a_time = 4;

// What getsockopt() says about a connect() that was under way: 0 when it went well.
ngx_err_t connect_error(ngx_socket_t fd) noexcept {
    int err = 0;
    socklen_t len = sizeof(err);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1 ? ngx_socket_errno : err;
}

}  // namespace

RedisConnection::RedisConnection(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                                 const Receives& receives)
    : client_(client), server_(server), cycle_log_(log), log_(*log), receives_(receives) {
    // nginx logs each failed connect() and handshake, up to [crit]; an outage is the client's to log, once.
    log_.log_level = NGX_LOG_INFO;
    log_.handler = nullptr;
    log_.next = nullptr;
    log_.writer = on_log;
    log_.wdata = this;
}

RedisConnection::~RedisConnection() { drop(); }

// A line of nginx's about this socket: "time [level] process: *number text". OpenSSL's words stand in brackets.
void RedisConnection::on_log(ngx_log_t* log, ngx_uint_t level, u_char* text, size_t size) noexcept {
    auto* self = static_cast<RedisConnection*>(log->wdata);
    const std::string_view line{reinterpret_cast<const char*>(text), size};
    if (level <= NGX_LOG_ALERT) {
        ngx_log_error(level, self->cycle_log_, 0, "ws: redis %s: %*s", self->server_.name.c_str(), size, text);
    }
    const std::size_t tls = line.find("(SSL:");
    if (tls == std::string_view::npos) { return; }
    try {
        self->tls_fault_ = line.substr(tls, line.find_first_of("\r\n", tls) - tls);
    } catch (...) { self->tls_fault_.clear(); }
}

std::unique_ptr<redis::Pipeline> RedisConnection::make_pipeline() const {
    if (receives_.subscription != nullptr) {
        return std::make_unique<redis::Pipeline>(server_.login, *receives_.subscription);
    }
    if (receives_.listener != nullptr) {
        return std::make_unique<redis::Pipeline>(server_.login, *receives_.listener, server_.max_reply);
    }
    return std::make_unique<redis::Pipeline>(server_.login, server_.max_reply);
}

void RedisConnection::want(ngx_uint_t address) {
    pipeline_ = make_pipeline();
    receiver_ = 0;
    silent_ = false;
    address_ = address;
    tried_ = 0;
    state_ = State::wanted;
}

void RedisConnection::track(long long receiver) {
    receiver_ = receiver;
    tracking_refused_ = false;
    if (state_ == State::wanted) {
        pipeline_->track(receiver);
        return;
    }
    auto command = std::make_shared<redis::Command>([this](const redis::Outcome& outcome) { on_tracked(outcome); });
    tracking_ = std::make_unique<redis::CommandHandle>(command);
    push(redis::tracking_command(std::to_string(receiver)), std::move(command));
}

void RedisConnection::on_tracked(const redis::Outcome& outcome) {
    if (outcome.status != Status::reply || !redis::is_error(*outcome.reply)) { return; }
    receiver_ = 0;
    tracking_refused_ = !redis::may_pass(*outcome.reply);
    if (tracking_refused_) {
        client_.tracking_is_refused("CLIENT TRACKING refused");
    } else {
        client_.tracking_has_failed();
    }
}

void RedisConnection::check() noexcept {
    guarded([this] {
        if (std::exchange(silent_, true)) {
            fail("no sign of life", 0, Status::timeout);
            return;
        }
        pipeline_->ping();
        ngx_post_event(socket_->write, &ngx_posted_events);
    });
}

void RedisConnection::push(std::span<const std::string_view> argv, std::shared_ptr<redis::Command> command) {
    pipeline_->push(argv, std::move(command), ngx_current_msec);
    if (socket_ != nullptr) { watch(); }
    if (state_ == State::ready) { ngx_post_event(socket_->write, &ngx_posted_events); }
}

// Runs one step of the connection at the border to nginx. Only memory can be missing here; the connection then fails like any other.
template <typename Step>
void RedisConnection::guarded(Step step) noexcept {
    try {
        step();
    } catch (...) {
        try {
            fail("out of memory", 0, Status::unavailable);
        } catch (...) {
            drop();
            client_.is_dropped();
        }
    }
}

void RedisConnection::start() noexcept {
    guarded([this] { connect(); });
}

void RedisConnection::on_read(ngx_event_t* event) noexcept {
    auto* self = static_cast<RedisConnection*>(static_cast<ngx_connection_t*>(event->data)->data);
    self->guarded([self] { self->read(); });
}

void RedisConnection::on_write(ngx_event_t* event) noexcept {
    auto* self = static_cast<RedisConnection*>(static_cast<ngx_connection_t*>(event->data)->data);
    self->guarded([self] {
        if (self->established()) { self->write(); }
    });
}

void RedisConnection::connect() {
    state_ = State::connecting;

    ngx_addr_t& addr = server_.addrs[address_];
    ngx_peer_connection_t peer{};
    peer.sockaddr = addr.sockaddr;
    peer.socklen = addr.socklen;
    peer.name = &addr.name;
    peer.get = ngx_event_get_peer;
    peer.log = &log_;
    peer.log_error = NGX_ERROR_ERR;
    peer.so_keepalive = 1;  // notices a peer that vanished while idle

    ngx_set_socket_errno(0);
    const ngx_int_t rc = ngx_event_connect_peer(&peer);
    if (rc != NGX_OK && rc != NGX_AGAIN) {
        fail("connect() failed", ngx_socket_errno, Status::unavailable);
        return;
    }
    socket_ = peer.connection;
    socket_->data = this;
    socket_->read->handler = on_read;
    socket_->write->handler = on_write;
    ngx_add_timer(socket_->read, server_.connect_timeout);
    watch();
    if (rc == NGX_OK && established()) { write(); }
}

// Whether the socket is connected; when it can't be, the connection has failed.
bool RedisConnection::established() {
    if (established_) { return true; }
    if (const ngx_err_t err = connect_error(socket_->fd)) {
        fail("connect() failed", err, Status::unavailable);
        return false;
    }
    if (socket_->tcp_nodelay == NGX_TCP_NODELAY_UNSET) {
        (void)ngx_tcp_nodelay(socket_);  // without it commands are slower, that's all
    }
    established_ = server_.tls == nullptr || encrypted();
    return established_;
}

// Begins the handshake. Whether it is done; if not, on_handshake() will be called, or the connection has failed.
bool RedisConnection::encrypted() {
    tls_fault_.clear();
    socket_->pool = ngx_create_pool(128, &log_);
    if (socket_->pool == nullptr) { throw std::bad_alloc{}; }
    const ngx_int_t rc = server_.tls->handshake(socket_, server_.tls_name);
#if (NGX_SSL)
    if (rc == NGX_AGAIN) {
        socket_->ssl->handler = on_handshake;
        return false;
    }
#endif
    if (rc != NGX_OK) {
        fail_io("TLS handshake failed");
        return false;
    }
    return verified();
}

bool RedisConnection::verified() {
    const char* wrong = server_.tls->verify(socket_, server_.tls_name);
    if (wrong == nullptr) { return true; }
    fail(("certificate refused (" + server_.tls_name + "): " + wrong).c_str(), 0, Status::unavailable);
    return false;
}

// nginx has done the handshake, or given it up, with handlers of its own in the place of ours.
void RedisConnection::on_handshake(ngx_connection_t* socket) noexcept {
    auto* self = static_cast<RedisConnection*>(socket->data);
    socket->read->handler = on_read;
    socket->write->handler = on_write;
    self->guarded([self, socket] {
#if (NGX_SSL)
        if (!socket->close && !socket->read->timedout) {
            if (!socket->ssl->handshaked) {
                self->fail_io("TLS handshake failed");
                return;
            }
            if (!self->verified()) { return; }
            self->established_ = true;
            ngx_post_event(socket->write, &ngx_posted_events);
        }
#endif
        self->read();
    });
}

void RedisConnection::read() {
    ngx_event_t* event = socket_->read;
    if (socket_->close) {  // the worker is going
        close(Status::unavailable);
        return;
    }
    const bool timedout = event->timedout != 0;
    event->timedout = 0;
    if (timedout) {
        if (state_ != State::ready) { return late(); }
        event->available = -1;  // nobody is late who has been answered, by a server that waits for a busy worker
    }
    if (!established()) { return; }
    u_char buffer[read_size];
    for (int reads = 0;; ++reads) {
        if (reads == reads_at_a_time) {
            ngx_post_event(event, &ngx_posted_next_events);
            break;
        }
        const ssize_t n = socket_->recv(socket_, buffer, sizeof(buffer));
        if (n == NGX_AGAIN) { break; }
        if (n <= 0 && state_ == State::ready && load() == 0) {  // Redis closes idle connections, if so configured
            close(Status::unavailable);
            return;
        }
        if (n == 0) {
            fail("closed by the server", 0, Status::unavailable);
            return;
        }
        if (n < 0) {
            fail_io("recv() failed");
            return;
        }
        if (!take({reinterpret_cast<char*>(buffer), static_cast<std::size_t>(n)})) { return; }
    }
    if (ngx_handle_read_event(event, 0) != NGX_OK) {
        fail("event failed", 0, Status::unavailable);
        return;
    }
    watch();
    if (timedout && load() > 0) { late(); }
}

bool RedisConnection::take(std::string_view bytes) {
    silent_ = false;
    if (!pipeline_->feed(bytes)) {
        if (receives_.listener != nullptr && pipeline_->tracking_refused()) {
            client_.tracking_is_refused(pipeline_->error().c_str());
        }
        fail(pipeline_->error().c_str(), 0, Status::unavailable);
        return false;
    }
    if (state_ == State::connecting && pipeline_->ready()) {
        state_ = State::ready;
        ready_at_ = ngx_current_msec;
        ngx_del_timer(socket_->read);
        ngx_post_event(socket_->write, &ngx_posted_events);  // for the commands held back
        tracking_refused_ = pipeline_->tracking_refused();
        receiver_ = pipeline_->receiver();
        client_.is_up(*this);
    }
    return true;
}

void RedisConnection::write() {
    ngx_event_t* event = socket_->write;
    while (event->ready) {
        const std::string_view out = pipeline_->output();
        if (out.empty()) { break; }
        const ssize_t n = socket_->send(socket_, reinterpret_cast<u_char*>(const_cast<char*>(out.data())), out.size());
        if (n == NGX_AGAIN) { break; }
        if (n < 0) {
            if (state_ == State::connecting) {  // who closes at once may have said why
                socket_->read->available = -1;
                read();
            }
            if (socket_ != nullptr) { fail_io("send() failed"); }
            return;
        }
        pipeline_->consumed(static_cast<std::size_t>(n));
    }
    if (ngx_handle_write_event(event, 0) != NGX_OK) { fail("event failed", 0, Status::unavailable); }
}

// The timer of the socket has run out.
void RedisConnection::late() {
    if (state_ != State::ready) {
        const char* unanswered = socket_->pool == nullptr ? "connect() timed out" : "TLS handshake timed out";
        fail(established_ ? "no reply to the login in time" : unanswered, 0, Status::timeout);
        return;
    }
    if (socket_->read->posted) {  // there is more to read
        ngx_add_timer(socket_->read, server_.timeout);
        return;
    }
    const auto oldest = static_cast<ngx_msec_t>(pipeline_->oldest());
    // A command that had to wait for the connection has its full time from there.
    const auto age = std::min(ngx_current_msec - oldest, ngx_current_msec - ready_at_);
    if (age < server_.timeout) {
        ngx_add_timer(socket_->read, server_.timeout - age);
        return;
    }
    fail("no reply in time", 0, Status::timeout);
}

// Keeps flags and timer of the socket in step with what is under way.
void RedisConnection::watch() noexcept {
    ngx_event_t* timer = socket_->read;
    const bool idle = load() == 0;
    socket_->idle = idle && !client_.listens();  // nginx closes idle connections of a worker that is told to go,
    timer->cancelable = idle;                    // and the worker stays for the timers of others
    if (state_ != State::ready) { return; }
    if (!idle && !timer->timer_set) {
        ngx_add_timer(timer, server_.timeout);
    } else if (idle && timer->timer_set) {
        ngx_del_timer(timer);
    }
}

// With what OpenSSL or the system has said of it.
void RedisConnection::fail_io(const char* reason) {
    const ngx_err_t err = ngx_socket_errno;
    if (server_.tls == nullptr) {
        fail(reason, err, Status::unavailable);
    } else {
        fail((std::string(reason) + ' ' + tls_fault_).c_str(), 0, Status::unavailable);
    }
}

void RedisConnection::fail(const char* reason, ngx_err_t err, Status status) {
    close_socket();
    if (state_ == State::connecting && ++tried_ < server_.naddrs) {
        address_ = (address_ + 1) % server_.naddrs;
        pipeline_->restart();
        state_ = State::wanted;
        client_.has_work();
        return;
    }
    client_.is_down(*this, reason, err, load());
    close(status);
}

void RedisConnection::close(Status status) {
    close_socket();
    state_ = State::closed;
    if (const auto dead = std::move(pipeline_)) { dead->fail_all(status); }
    client_.is_closed(*this);
}

void RedisConnection::end() { close(Status::unavailable); }

void RedisConnection::drop() noexcept {
    close_socket();
    state_ = State::closed;
    pipeline_.reset();
}

void RedisConnection::close_socket() noexcept {
    established_ = false;
    ngx_connection_t* socket = std::exchange(socket_, nullptr);
    if (socket == nullptr) { return; }
    RedisTls::shutdown(socket);
    if (socket->pool != nullptr) { ngx_destroy_pool(socket->pool); }
    ngx_close_connection(socket);
}

}  // namespace ws::nginx
