// The protocol of one connection to Redis, without the connection: commands in, bytes to write out, bytes read in, answers out.
//
// First come the login commands (AUTH, SELECT, ROLE, CLIENT TRACKING, and a PING that proves the server is serving); until all are
// answered, other commands are held back, so nothing ever runs as the wrong user, in the wrong database or untracked. Answers come
// in the order of the commands. A cancelled command keeps its place in the order, its reply is dropped.
//
// A receiver takes no commands: after its login it gets the reports about keys that other connections have read, or what is
// published in the channels that it is subscribed to.
#pragma once

#include "redis/command.h"
#include "redis/invalidations.h"
#include "redis/reply_limit.h"
#include "redis/subscription.h"

#include <hiredis/hiredis.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ws::redis {

struct Login {
    std::string user;
    std::string password;
    unsigned db = 0;
    bool master = false;  // a server that is none is refused
};

// Has what is read be reported to this receiver (its CLIENT ID).
[[nodiscard]] std::array<std::string_view, 5> tracking_command(std::string_view receiver);
// Is that an error that may be gone at the next attempt (a busy server, too many clients, a receiver that is just being lost)?
[[nodiscard]] bool may_pass(const redisReply& reply);

class Pipeline {
public:
    static constexpr std::size_t default_max_reply = 1024 * 1024;

    // `login` must outlive the pipeline.
    explicit Pipeline(const Login& login, std::size_t max_reply = default_max_reply);

    // A receiver's pipeline; `listener` must outlive it.
    Pipeline(const Login& login, Invalidations& listener, std::size_t max_reply = default_max_reply);

    // The same for what is published in channels; `subscription` must outlive it.
    Pipeline(const Login& login, const Subscription& subscription);

    // What is read is to be reported to this receiver (its CLIENT ID). Only before the first byte has been written.
    void track(long long receiver);
    [[nodiscard]] long long receiver() const noexcept { return receiver_; }  // 0: nobody, the server wouldn't
    // The server won't, now or later; a reader's connection works all the same, a receiver's doesn't.
    [[nodiscard]] bool tracking_refused() const noexcept { return tracking_refused_; }

    // A receiver's CLIENT ID, once it is ready.
    [[nodiscard]] long long id() const noexcept { return id_; }

    // Asks a receiver's server for a sign of life, which comes as bytes to feed(). When ready.
    void ping();

    // Queues a command. `stamp` is the caller's clock, given back by oldest().
    void push(std::span<const std::string_view> argv, std::shared_ptr<Command> command, std::uint64_t stamp);

    // Bytes to write now; valid until the next call of a non-const member.
    [[nodiscard]] std::string_view output() const noexcept;
    void consumed(std::size_t bytes) noexcept;

    // Bytes read. Answers the commands whose replies are whole; their callbacks may push more, but not feed.
    // A reply above the limit is skipped, and its command answered with an error reply of the code TOOLARGE.
    // False once the connection is of no use any more: login refused, no RESP2, or a reply to nothing (one that precedes its command
    // is the answer to something else). error() says which.
    [[nodiscard]] bool feed(std::string_view bytes);
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

    // All login commands have been answered well.
    [[nodiscard]] bool ready() const noexcept { return step_ == steps_.size(); }

    // Commands without an answer; login commands don't count.
    [[nodiscard]] std::size_t load() const noexcept { return queue_.size(); }

    // The stamp of the command that has waited longest. Only when load() > 0.
    [[nodiscard]] std::uint64_t oldest() const noexcept { return queue_.front().stamp; }

    // Starts again on a new connection, keeping the commands held back. Only when not ready().
    void restart();

    // Answers every command left with `status`, also when one of them throws std::bad_alloc, which comes out at the end. The
    // pipeline is of no use afterwards.
    void fail_all(Outcome::Status status);

private:
    // Login commands.
    enum class Step { auth, select, role, track, ping, id, subscribe };

    struct Entry {
        std::shared_ptr<Command> command;
        std::uint64_t stamp;
        std::uint64_t end;  // of its bytes, as a position among those of all commands
    };
    struct FreeReader {
        void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
    };

    bool parse(std::string_view bytes);
    bool skip_reply();
    bool take_reply(const redisReply& reply);
    void append(std::string& out, std::span<const std::string_view> argv);
    void add_step(Step step, std::span<const std::string_view> argv);
    bool take_login_reply(const redisReply& reply);
    const char* refuse_login(Step step, const redisReply& reply);
    void take_report(const redisReply& reply);
    void take_message(const redisReply& reply);

    const Login& login_;
    std::size_t max_reply_;
    std::unique_ptr<redisReader, FreeReader> reader_;
    ReplyLimit limit_;
    Invalidations* listener_ = nullptr;  // a receiver's
    const Subscription* subscription_ = nullptr;
    long long receiver_ = 0;  // who gets the reports; 0: nobody
    long long id_ = 0;
    bool tracking_refused_ = false;
    std::vector<Step> steps_;
    std::size_t step_ = 0;       // the first not yet answered
    std::string out_;            // login commands, and when they have been answered the others
    std::size_t sent_ = 0;       // bytes of out_ already written
    std::string held_;           // commands that wait for the login
    std::uint64_t pushed_ = 0;   // bytes of commands, ever
    std::uint64_t written_ = 0;  // and how many of them have been written
    std::deque<Entry> queue_;
    std::vector<const char*> words_;  // of the command that is formatted
    std::vector<std::size_t> lengths_;
    std::string error_;
};

}  // namespace ws::redis
