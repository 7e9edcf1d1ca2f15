// All workers that listen on a channel of a Redis, of this machine and of others: asks them, and answers them.
//
// A question is published for all of them; Redis says how many it has reached, and so many answers are waited for, the asker's
// own included, which it gives itself when the question comes back to it. After Redis was lost, workers come back to it one after
// another; until all had the time for that, nothing is said to be nowhere.
#pragma once

#include "nginx/ngx.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "control/bus_message.h"
#include "nginx/control_desk.h"
#include "nginx/location_conf.h"
#include "nginx/redis_store.h"
#include "redis/subscription.h"

namespace ws::nginx {

class ControlBus final : private redis::Subscriber {
public:
    using Done = std::function<void(control::Answer)>;

    // All arguments outlive the bus; `log` is the cycle's.
    ControlBus(const ControlSettings& settings, ControlDesk& desk, RedisStore& store, ngx_log_t* log);
    ControlBus(const ControlBus&) = delete;
    ControlBus& operator=(const ControlBus&) = delete;
    ~ControlBus();

    // This worker first, then all; what concerns a connection of this worker's doesn't go to Redis. `done` is called once, from an event,
    // never before ask() has returned; it must not throw. Answers a number for forget(). Throws std::bad_alloc.
    [[nodiscard]] std::uint64_t ask(control::Request request, ngx_msec_t timeout, Done done);
    // The answer is not wanted any more.
    void forget(std::uint64_t number) noexcept;

private:
    // A question under way.
    struct Asked;

    void published(std::string_view channel, std::string_view message) override;
    void subscribed(bool on) override;
    void take_question(std::string_view text);
    void take_reply(std::string_view text);
    void answered_here(std::uint64_t number, control::Answer answer);
    void publish(std::uint64_t number);
    void reached(std::uint64_t number, const redis::Outcome& outcome);
    void answer(const control::Question& question);
    void reply(const std::string& channel, const control::Reply& reply);
    void finish(std::uint64_t number, control::Answer answer);
    void finish_if_complete(std::uint64_t number);
    void drop(const char* what) noexcept;
    static void on_timeout(ngx_event_t* event) noexcept;

    ControlDesk& desk_;
    RedisStore& store_;
    ngx_log_t* log_;
    std::string replies_;  // what the names of the channels for replies begin with
    redis::Subscription subscription_;
    bool on_ = false;
    bool was_on_ = false;
    ngx_msec_t made_;
    ngx_msec_t settled_;      // from when on Redis reaches all workers that there are
    std::uint64_t last_ = 0;  // number
    std::map<std::uint64_t, std::unique_ptr<Asked>> asked_;
    std::uint64_t dropped_ = 0;
};

}  // namespace ws::nginx
