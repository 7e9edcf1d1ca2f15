// A store of several servers that has to ask where commands go: the common part of RedisSentinel and RedisCluster.
//
// Servers that may know are asked in turn, at first use and whenever what is known may be wrong. Until somebody has answered,
// commands wait; when nobody does, that is logged once, commands are refused at once, and asking goes on with growing delays.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_node.h"
#include "nginx/redis_store.h"
#include "redis/backoff.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ws::nginx {

// A command that may have to be sent once more: it owns its arguments.
struct RoutedCommand {
    RoutedCommand(std::span<const std::string_view> argv, std::shared_ptr<redis::Command> command)
        : words(argv.begin(), argv.end()), answer(std::move(command)) {}
    [[nodiscard]] std::vector<std::string_view> argv() const { return {words.begin(), words.end()}; }

    std::vector<std::string> words;
    std::shared_ptr<redis::Command> answer;
    int redirections = 0;
};
using RoutedCommandPtr = std::shared_ptr<RoutedCommand>;

class RedisTopology : public RedisStore {
public:
    RedisTopology(const RedisTopology&) = delete;
    RedisTopology& operator=(const RedisTopology&) = delete;

    [[nodiscard]] std::unique_ptr<redis::Pending> send(std::span<const std::string_view> argv, Done done) final;
    void shutdown() noexcept override;

protected:
    // Asks again every `interval`, if not 0; and not more often than every `pace`.
    RedisTopology(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log, ngx_msec_t interval,
                  ngx_msec_t pace);
    ~RedisTopology() override;

    // Who may know: the first, the second, ... of this round; null: that's all.
    [[nodiscard]] virtual RedisClient* source(std::size_t n) = 0;
    [[nodiscard]] virtual std::span<const std::string_view> question() const noexcept = 0;
    // Takes the answer of that source. False: it is of no use.
    [[nodiscard]] virtual bool learn(const redisReply& reply, std::size_t n) = 0;
    // Sends a command to where it belongs. Only when something has been learnt.
    virtual void route(const RoutedCommandPtr& command) = 0;
    // When nobody knows, for the log.
    [[nodiscard]] virtual const char* nobody_knows() const noexcept = 0;

    // What is known may be wrong: asks soon.
    void look() noexcept;
    // From now on asks again every `interval`.
    void look_every(ngx_msec_t interval) noexcept;
    // A command that can't be sent: it is answered `unavailable` at the next turn of the event loop.
    void refuse(const RoutedCommandPtr& command);
    // Is told of failures of a node that commands go to.
    [[nodiscard]] std::function<void()> on_failure();
    // Ends a node, at the next turn of the event loop: what is under way there is answered `unavailable`.
    void retire(std::unique_ptr<RedisNode> node);

    [[nodiscard]] const RedisServer& server() const noexcept { return server_; }
    [[nodiscard]] ngx_log_t* log() const noexcept { return log_; }
    [[nodiscard]] status::RedisCounters& counters() noexcept { return counters_; }

private:
    static void on_work(ngx_event_t* event) noexcept;
    static void on_timer(ngx_event_t* event) noexcept;
    void work();
    void ask(std::size_t n);
    void answered(const redis::Outcome& outcome, std::size_t n);
    void note_objection(const redis::Outcome& outcome);
    void asked_all() noexcept;
    void wait(ngx_msec_t time) noexcept;

    const RedisServer& server_;
    ngx_log_t* log_;
    status::RedisCounters& counters_;
    ngx_msec_t interval_;
    ngx_msec_t pace_;
    std::vector<RoutedCommandPtr> held_;     // until something is known
    std::vector<RoutedCommandPtr> refused_;  // to be told so from the event loop
    std::vector<std::unique_ptr<RedisNode>> retired_;
    std::unique_ptr<redis::Pending> question_;  // under way
    redis::Backoff backoff_;
    std::string objection_;   // what the last one said who would not tell
    std::size_t failed_ = 0;  // commands refused since nobody has known
    bool known_ = false;
    bool down_ = false;
    bool asking_ = false;
    bool wanted_ = false;  // to ask, at the next turn
    bool shut_down_ = false;
    ngx_msec_t asked_at_ = 0;
    ngx_connection_t no_socket_{};  // events want one for the debug log
    ngx_event_t work_{};
    ngx_event_t timer_{};
};

}  // namespace ws::nginx
