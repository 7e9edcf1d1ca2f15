// What the tests of sessions stand on: Redis and the clock are scripted.
#pragma once

#include "auth/sessions.h"

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cmocka.hpp"

#include <hiredis/hiredis.h>

namespace sessions {

using ws::auth::Milliseconds;
using ws::auth::Sessions;
using ws::auth::SessionsOptions;
using ws::auth::Verdict;
using ws::auth::Watch;
using ws::redis::Outcome;

class ScriptedStore final : public ws::redis::Store {
public:
    class Handle final : public ws::redis::Pending {
    public:
        explicit Handle(std::shared_ptr<bool> cancelled) : cancelled_(std::move(cancelled)) {}
        ~Handle() override { *cancelled_ = true; }

    private:
        std::shared_ptr<bool> cancelled_;
    };

    std::unique_ptr<ws::redis::Pending> send(std::span<const std::string_view> argv, Done done) override {
        auto cancelled = std::make_shared<bool>(false);
        // Asked after a read: answered apart.
        std::deque<Waiting>& queue = argv[0] == "PTTL" ? times_to_live : waiting;
        queue.push_back({{argv.begin(), argv.end()}, std::move(done), cancelled});
        return std::make_unique<Handle>(cancelled);
    }

    void track(ws::redis::Invalidations&) override { ++tracks; }

    // Answers the oldest command.
    void answer(const char* value) {
        redisReply reply{};
        std::string text = value == nullptr ? "" : value;
        reply.type = value == nullptr ? REDIS_REPLY_NIL : REDIS_REPLY_STRING;
        reply.str = text.data();
        reply.len = text.size();
        finish({Outcome::Status::reply, &reply});
    }
    void refuse(const char* text) {
        redisReply reply{};
        std::string copy = text;
        reply.type = REDIS_REPLY_ERROR;
        reply.str = copy.data();
        reply.len = copy.size();
        finish({Outcome::Status::reply, &reply});
    }
    void lose() { finish({Outcome::Status::unavailable, nullptr}); }
    // How long the key that was asked about first has still to live.
    void answer_time(long long milliseconds) {
        redisReply reply{};
        reply.type = REDIS_REPLY_INTEGER;
        reply.integer = milliseconds;
        finish(times_to_live, {Outcome::Status::reply, &reply});
    }
    void refuse_time() {
        redisReply reply{};
        reply.type = REDIS_REPLY_ERROR;
        finish(times_to_live, {Outcome::Status::reply, &reply});
    }
    void lose_time() { finish(times_to_live, {Outcome::Status::unavailable, nullptr}); }

    struct Waiting {
        std::vector<std::string> words;
        Done done;
        std::shared_ptr<bool> cancelled;
    };
    std::deque<Waiting> waiting;
    std::deque<Waiting> times_to_live;
    int tracks = 0;

private:
    void finish(const Outcome& outcome) { finish(waiting, outcome); }
    static void finish(std::deque<Waiting>& queue, const Outcome& outcome) {
        assert_false(queue.empty());
        const Waiting command = std::move(queue.front());
        queue.pop_front();
        if (!*command.cancelled) { command.done(outcome); }
    }
};

class ScriptedClock final : public ws::auth::Clock {
public:
    Milliseconds now() const noexcept override { return time; }
    void wake_at(Milliseconds at) noexcept override { wakes.insert(at); }

    // Runs until nothing is due any more.
    void settle(Sessions& sessions) {
        while (!wakes.empty() && *wakes.begin() <= time) {
            wakes.erase(wakes.begin());
            sessions.run();
        }
    }
    void pass(Sessions& sessions, int milliseconds) {
        time += Milliseconds(milliseconds);
        settle(sessions);
    }

    Milliseconds time{1000000};
    std::set<Milliseconds> wakes;
};

struct World {
    explicit World(SessionsOptions options = {}) : sessions(store, clock, options) {}

    struct Seen {
        std::vector<std::string> verdicts;  // "allowed TEXT", "denied", ...
        std::unique_ptr<Watch> watch;
    };

    void watch(Seen& seen, std::string_view key, bool live = true, int recheck = 30000, int cache = 0) {
        const std::string_view words[] = {"GET", key};
        const ws::auth::Question question{words, live, Milliseconds(recheck), Milliseconds(cache)};
        seen.watch = sessions.watch(question, [&seen](const Verdict& verdict) {
            switch (verdict.status) {
                case WS_AUTH_ALLOWED:
                    seen.verdicts.push_back("allowed " + std::string(ws::auth::view(verdict.session)));
                    break;
                case WS_AUTH_DENIED: seen.verdicts.emplace_back("denied"); break;
                case WS_AUTH_UNAVAILABLE: seen.verdicts.emplace_back("unavailable"); break;
                default: seen.verdicts.emplace_back("invalid"); break;
            }
        });
    }
    void watch_cached(Seen& seen, std::string_view key, int cache, bool live = true) {
        watch(seen, key, live, 30000, cache);
    }
    void settle() { clock.settle(sessions); }
    void pass(int milliseconds) { clock.pass(sessions, milliseconds); }

    ScriptedStore store;
    ScriptedClock clock;
    Sessions sessions;
};

using Verdicts = std::vector<std::string>;

}  // namespace sessions
