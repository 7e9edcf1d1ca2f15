#include "nginx/worker.h"

#include <sys/eventfd.h>
#include <sys/random.h>

#include <algorithm>
#include <iterator>

#include "nginx/control_bus.h"
#include "nginx/control_desk.h"
#include "nginx/http_backend.h"
#include "nginx/main_conf.h"
#include "nginx/tunnel.h"

namespace ws::nginx {

namespace {

std::unique_ptr<Worker> worker;

constexpr int notices_at_a_time = 32;

// When a worker has to go at once, or nearly so, its peers still have that much time to say good-bye.
constexpr ngx_msec_t shortest_end = 2000;

// Who asks about a connection that has just ended is told so.
constexpr std::size_t ended_kept = 1024;

status::HttpEvent label(relay::HttpEvent::Kind event) noexcept {
    switch (event) {
        case relay::HttpEvent::Kind::open: return status::HttpEvent::open;
        case relay::HttpEvent::Kind::message: return status::HttpEvent::message;
        case relay::HttpEvent::Kind::close: break;
    }
    return status::HttpEvent::close;
}

}  // namespace

websocket::MaskKey RandomMaskKeys::next() noexcept {
    if (used_ == keys_.size()) {
        // 1 KiB: larger than what getrandom() gives in one piece always, so it may be short; never so at this size in
        // practice, and then the keys are old ones, not zeros.
        (void)!getrandom(keys_.data(), sizeof(keys_), 0);
        used_ = 0;
    }
    return keys_[used_++];
}

Worker* Worker::current() noexcept { return worker.get(); }

Worker::Worker(ngx_cycle_t* cycle) noexcept : cycle_(cycle), zone_(cycle), counters_(zone_.board().join()) {
    if (counters_ == nullptr) {
        static status::Counters uncounted;
        counters_ = &uncounted;
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "ws: too many workers: ws_status doesn't show this one");
    }
    no_socket_.fd = static_cast<ngx_socket_t>(-1);
    no_socket_.data = this;
    notify_.data = &no_socket_;
    notify_.log = cycle->log;
    notify_.handler = on_notices;
    room_ = notify_;
    room_.handler = on_room;
}

Worker::~Worker() {
    if (notice_ != nullptr) { ngx_close_connection(notice_); }
    if (notify_.posted) { ngx_delete_posted_event(&notify_); }
    if (room_.posted) { ngx_delete_posted_event(&room_); }
    buses_.clear();
    for (auto& [server, sessions] : sessions_) { sessions->shutdown(); }
    zone_.board().leave(*counters_);
}

RedisSessions& Worker::sessions(const RedisServer& server) {
    std::unique_ptr<RedisSessions>& sessions = sessions_[&server];
    if (sessions == nullptr) {
        sessions = std::make_unique<RedisSessions>(server, counters_->redis[zone_.server(server.name)], cycle_->log);
    }
    return *sessions;
}

ControlBus& Worker::bus(const ControlSettings& settings) {
    std::unique_ptr<ControlBus>& bus = buses_[settings.redis->name + ' ' + settings.channel];
    if (bus == nullptr) {
        if (desk_ == nullptr) { desk_ = std::make_unique<ControlDesk>(*this, cycle_->log); }
        bus = std::make_unique<ControlBus>(settings, *desk_, store(*settings.redis), cycle_->log);
    }
    return *bus;
}

Worker::Notices::iterator Worker::notify(Tunnel& tunnel) {
    ngx_post_event(&notify_, &ngx_posted_events);
    return notices_.insert(notices_.end(), &tunnel);
}

void Worker::on_notices(ngx_event_t* event) noexcept {
    auto& self = *static_cast<Worker*>(static_cast<ngx_connection_t*>(event->data)->data);
    for (int n = 0; n < notices_at_a_time && !self.notices_.empty(); ++n) { self.notices_.front()->on_session(); }
    if (!self.notices_.empty()) { ngx_post_event(event, &ngx_posted_next_events); }
}

bool Worker::take_request(std::size_t most) noexcept {
    if (requests_ >= most || (!waiting_.empty() && !whose_turn_)) { return false; }
    counters_->http_in_flight.set(static_cast<std::int64_t>(++requests_));
    return true;
}

void Worker::request_ended(relay::HttpEvent::Kind event, status::HttpResult result) noexcept {
    counters_->http_in_flight.set(static_cast<std::int64_t>(--requests_));
    counters_->add_http_request(label(event), result);
    if (!waiting_.empty()) { ngx_post_event(&room_, &ngx_posted_events); }
}

Worker::HttpBackends::iterator Worker::wait_for_request(HttpBackend& backend) {
    return waiting_.insert(waiting_.end(), &backend);
}

// In the order of their coming. Who finds no room, or not enough, stays the first.
void Worker::on_room(ngx_event_t* event) noexcept {
    auto& self = *static_cast<Worker*>(static_cast<ngx_connection_t*>(event->data)->data);
    while (!self.waiting_.empty()) {
        const std::size_t before = self.waiting_.size();
        self.whose_turn_ = true;
        self.waiting_.front()->on_room();
        self.whose_turn_ = false;
        if (self.waiting_.size() < before) { continue; }
        self.waiting_.splice(self.waiting_.begin(), self.waiting_, std::prev(self.waiting_.end()));
        return;
    }
}

Worker::Tunnels::iterator Worker::add(Tunnel& tunnel) {
    if (notice_ == nullptr) { watch_for_exit(); }
    return tunnels_.emplace(tunnel.id(), &tunnel).first;
}

void Worker::remove(Tunnels::iterator place) noexcept {
    if (desk_ != nullptr) {
        try {
            ended_.emplace_back(place->first);
            if (ended_.size() > ended_kept) { ended_.pop_front(); }
        } catch (...) { ended_.clear(); }
    }
    tunnels_.erase(place);
}

bool Worker::had(std::string_view id) const noexcept { return std::ranges::find(ended_, id) != ended_.end(); }

void Worker::watch_for_exit() {
    if (ngx_exiting) { return; }
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd == -1) { throw std::bad_alloc(); }
    notice_ = ngx_get_connection(fd, cycle_->log);
    if (notice_ == nullptr) {
        close(fd);
        throw std::bad_alloc();
    }
    notice_->data = this;
    notice_->idle = 1;
    notice_->log = cycle_->log;
    notice_->read->log = cycle_->log;
    notice_->write->log = cycle_->log;
    notice_->read->handler = on_exit_notice;
}

void Worker::on_exit_notice(ngx_event_t* event) noexcept {
    auto* notice = static_cast<ngx_connection_t*>(event->data);
    auto* self = static_cast<Worker*>(notice->data);
    if (!notice->close) { return; }
    self->notice_ = nullptr;
    ngx_close_connection(notice);
    self->drain();
}

ngx_msec_t Worker::drain_time(ngx_msec_t time) const noexcept {
    void* conf = ngx_get_conf(cycle_->conf_ctx, ngx_core_module);
    const auto* core = static_cast<const ngx_core_conf_t*>(conf);
    return core->shutdown_timeout == 0 ? time : std::min(time, core->shutdown_timeout);
}

ngx_msec_t Worker::drain_left(ngx_msec_t time) noexcept {
    const ngx_msec_t gone = ngx_current_msec - exiting_since();
    const ngx_msec_t whole = drain_time(time);
    return std::max(shortest_end, whole - std::min(whole, gone));
}

void Worker::drain() noexcept {
    std::size_t part = 0;
    for (const auto& [id, tunnel] : tunnels_) { tunnel->drain(part++, tunnels_.size()); }
}

ngx_int_t init_process(ngx_cycle_t* cycle) noexcept try {
    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE) { return NGX_OK; }
    // Without `http` in its configuration, as for `stream` or `mail` alone, nginx runs this all the same.
    const auto* conf = static_cast<const MainConf*>(ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ws_module));
    if (conf == nullptr) { return NGX_OK; }
    worker = std::make_unique<Worker>(cycle);
    // Whoever may be asked listens, from the beginning.
    for (const ControlSettings* settings : *conf->controls) { (void)worker->bus(*settings); }
    return NGX_OK;
} catch (...) { return NGX_ERROR; }

void exit_process(ngx_cycle_t*) noexcept { worker.reset(); }

}  // namespace ws::nginx
