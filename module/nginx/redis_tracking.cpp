#include "nginx/redis_tracking.h"

#include <array>
#include <memory>
#include <utility>

#include "nginx/redis_client.h"

namespace ws::nginx {

namespace {

constexpr RedisReceiver::Words words{"reports no changes", "sessions are read again every ws_auth_recheck",
                                     "reports changes again"};

}  // namespace

RedisTracking::RedisTracking(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                             redis::Invalidations& listener)
    : client_(client), listener_(listener), receiver_(client, server, log, {.listener = &listener}, words, *this) {}

void RedisTracking::receiver_up() {
    state_ = State::on;
    bool untracked_reads = false;
    client_.for_each_ready([&](RedisConnection& reader) {
        reader.track(receiver_.id());
        untracked_reads = true;
    });
    listener_.tracked(true);
    if (untracked_reads) { listener_.missed(); }
    client_.has_work();
}

// One that fails again, while the server serves its readers, may never come back.
void RedisTracking::receiver_failed(const char* why) noexcept {
    bool served = false;
    client_.for_each_ready([&served](const RedisConnection&) { served = true; });
    if (state_ == State::lost && served) { receiver_.log_off(why); }
}

void RedisTracking::receiver_closed() {
    if (state_ == State::refused) { return; }
    const bool was_lost = std::exchange(state_, State::lost) == State::lost;
    if (!was_lost) { listener_.tracked(false); }
    client_.has_work();
}

// A reader that doesn't answer fails by its own timeout.
void RedisTracking::receiver_checked() {
    client_.for_each_ready([](RedisConnection& reader) {
        reader.push(std::array<std::string_view, 1>{"PING"}, std::make_shared<redis::Command>(nullptr));
    });
}

void RedisTracking::start_again() {
    if (state_ == State::on) { receiver_.replace(); }
}

void RedisTracking::refused(const char* why) {
    if (state_ == State::refused) { return; }
    state_ = State::refused;
    receiver_.give_up();
    receiver_.log_off(why);
    listener_.tracked(false);
    client_.has_work();
}

void RedisTracking::before_start(RedisConnection& reader) {
    if (state_ == State::on && receiver_.is_up()) { reader.track(receiver_.id()); }
}

void RedisTracking::reader_up(RedisConnection& reader) {
    if (state_ == State::on && receiver_.is_up()) {
        if (reader.tracking_refused()) {
            refused("CLIENT TRACKING refused");
        } else if (reader.address() != receiver_.address()) {
            start_again();  // another server has other clients
        } else if (reader.receiver() != receiver_.id()) {
            // What waited for its login is read already, and not tracked.
            reader.track(receiver_.id());
            listener_.missed();
        }
    }
    if (std::exchange(reads_lost_, false)) { listener_.missed(); }
}

void RedisTracking::reader_closed(bool server_down) {
    reads_lost_ = server_down;
    listener_.missed();
}

}  // namespace ws::nginx
