#include "nginx/worker.h"

#include <sys/eventfd.h>
#include <sys/random.h>

#include "nginx/tunnel.h"

namespace ws::nginx {

namespace {

std::unique_ptr<Worker> worker;

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

Worker::~Worker() {
    if (notice_ != nullptr) { ngx_close_connection(notice_); }
    for (auto& [server, client] : clients_) { client->shutdown(); }
}

redis::Store& Worker::store(const RedisServer& server) {
    std::unique_ptr<RedisClient>& client = clients_[&server];
    if (client == nullptr) { client = std::make_unique<RedisClient>(server, cycle_->log); }
    return *client;
}

Worker::Tunnels::iterator Worker::add(Tunnel& tunnel) {
    if (notice_ == nullptr) { watch_for_exit(); }
    return tunnels_.insert(tunnels_.end(), &tunnel);
}

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
    for (Tunnel* tunnel : self->tunnels_) { tunnel->drain(); }
}

ngx_int_t init_process(ngx_cycle_t* cycle) noexcept try {
    if (ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE) {
        worker = std::make_unique<Worker>(cycle);
    }
    return NGX_OK;
} catch (...) {
    return NGX_ERROR;
}

void exit_process(ngx_cycle_t*) noexcept { worker.reset(); }

}  // namespace ws::nginx
