// What a worker's table of sessions takes, without nginx: 100,000 sessions of 250 bytes, each with one watch.
#include <hiredis/hiredis.h>
#include <malloc.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "auth/sessions.h"

namespace {

using ws::auth::Milliseconds;

constexpr int count = 100000;

// Answers when it is told to.
class Store final : public ws::redis::Store {
public:
    std::unique_ptr<ws::redis::Pending> send(std::span<const std::string_view> argv, Done done) override {
        questions_.push_back({argv[0] == "GET", std::move(done)});
        return std::make_unique<ws::redis::Pending>();
    }
    void track(ws::redis::Invalidations& listener) override { listener.tracked(true); }

    void answer_all(std::string& session) {
        while (!questions_.empty()) {
            const Question question = std::move(questions_.front());
            questions_.pop_front();
            redisReply reply{};
            reply.type = question.get ? REDIS_REPLY_STRING : REDIS_REPLY_INTEGER;
            reply.integer = 3600 * 1000;
            reply.str = session.data();
            reply.len = session.size();
            question.done({ws::redis::Outcome::Status::reply, &reply});
        }
    }

private:
    struct Question {
        bool get;
        Done done;
    };
    std::deque<Question> questions_;
};

class Clock final : public ws::auth::Clock {
public:
    Milliseconds now() const noexcept override { return Milliseconds(1); }
    void wake_at(Milliseconds) noexcept override {}
};

double used() { return static_cast<double>(mallinfo2().uordblks); }

}  // namespace

int main() {
    Store store;
    Clock clock;
    ws::auth::SessionsOptions options;
    options.max_waiting = count;
    ws::auth::Sessions sessions(store, clock, options);
    std::string session(250, 'x');
    std::vector<std::unique_ptr<ws::auth::Watch>> watches;
    watches.reserve(count);

    const double before = used();
    for (int n = 0; n < count; ++n) {
        const std::string key = "session:" + std::to_string(n) + std::string(32, 'x');
        const std::array<std::string_view, 2> command{"GET", key};
        ws::auth::Question question;
        question.command = command;
        question.live = true;
        question.recheck = Milliseconds(30000);
        watches.push_back(sessions.watch(question, [](const auto&) {}));
        sessions.run();
        store.answer_all(session);
    }
    std::printf("| the table's own share, of %d sessions | %.2f |\n", count, (used() - before) / count / 1024);
}
