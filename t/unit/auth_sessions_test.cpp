// Sessions: one read for many, changes told, nothing missed. Redis and the clock are scripted here.
#include "auth/sessions.h"

#include <deque>
#include <set>
#include <string>
#include <vector>

#include "cmocka.hpp"

#include <hiredis/hiredis.h>

namespace {

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

void nothing_is_asked_before_the_event_loop_runs(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a");
    assert_int_equal(world.store.waiting.size(), 0);
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    assert_true((world.store.waiting[0].words == Verdicts{"GET", "a"}));
}

void one_read_answers_all_who_wait(void**) {
    World world;
    std::vector<World::Seen> seen(100);
    for (auto& one : seen) { world.watch(one, "a"); }
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer("{}");
    world.settle();
    for (auto& one : seen) { assert_true(one.verdicts == Verdicts{"allowed {}"}); }
    assert_int_equal(world.sessions.tally().reads, 1);
}

void who_comes_behind_a_read_is_answered_by_the_next(void**) {
    World world;
    World::Seen first;
    std::vector<World::Seen> late(100);
    world.watch(first, "a");
    world.settle();
    for (auto& one : late) { world.watch(one, "a"); }
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    // The session ends between the two.
    world.store.answer("{}");
    assert_true(first.verdicts == Verdicts{"allowed {}"});
    for (auto& one : late) { assert_true(one.verdicts.empty()); }
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer(nullptr);
    for (auto& one : late) { assert_true(one.verdicts == Verdicts{"denied"}); }
    assert_true((first.verdicts == Verdicts{"allowed {}", "denied"}));
}

void a_known_session_is_read_again_for_who_comes(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen first;
    World::Seen second;
    world.watch(first, "a");
    world.settle();
    world.store.answer("1");
    world.pass(100000);
    world.watch(second, "a");
    world.settle();
    assert_true(second.verdicts.empty());
    world.store.answer("1");
    assert_true(second.verdicts == Verdicts{"allowed 1"});
    assert_true(first.verdicts == Verdicts{"allowed 1"});
}

void a_value_that_is_the_same_is_no_news(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.store.answer("1");
    for (const char* value : {"1", "1", "2", "2", "1"}) {
        world.pass(1000);
        world.sessions.invalidated("a");
        world.settle();
        world.store.answer(value);
    }
    assert_true((seen.verdicts == Verdicts{"allowed 1", "allowed 2", "allowed 1"}));
    assert_int_equal(world.sessions.tally().reads, 6);
}

void a_change_is_read_once_and_told_to_all(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen one;
    World::Seen two;
    world.watch(one, "a");
    world.watch(two, "a");
    world.settle();
    world.store.answer("1");
    world.pass(1000);
    world.sessions.invalidated("a");
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer("2");
    assert_true((one.verdicts == Verdicts{"allowed 1", "allowed 2"}));
    assert_true((two.verdicts == Verdicts{"allowed 1", "allowed 2"}));
}

void a_session_that_is_gone_ends_its_watches_and_is_forgotten(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.store.answer("1");
    world.pass(1000);
    world.sessions.invalidated("a");
    world.settle();
    world.store.answer(nullptr);
    assert_true((seen.verdicts == Verdicts{"allowed 1", "denied"}));
    assert_int_equal(world.sessions.size(), 0);
    seen.watch.reset();
}

void cached_what_is_known_will_do_until_it_is_too_old(void**) {
    World world;
    World::Seen first;
    World::Seen second;
    World::Seen third;
    world.watch(first, "a");
    world.sessions.tracked(true);
    world.settle();
    world.store.answer("1");
    world.pass(999);
    world.watch_cached(second, "a", 1000);
    assert_true(second.verdicts.empty());
    world.settle();
    assert_true(second.verdicts == Verdicts{"allowed 1"});
    assert_true(first.verdicts == Verdicts{"allowed 1"});
    assert_int_equal(world.sessions.tally().reads, 1);
    assert_int_equal(world.store.tracks, 1);
    world.pass(1);
    world.watch_cached(third, "a", 1000);
    world.settle();
    assert_true(third.verdicts.empty());
    assert_int_equal(world.sessions.tally().reads, 2);
}

void cached_who_is_strict_is_answered_by_a_read_all_the_same(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen first;
    World::Seen cached;
    World::Seen strict;
    world.watch(first, "a");
    world.settle();
    world.store.answer("1");
    world.watch_cached(cached, "a", 1000);
    world.watch(strict, "a");
    world.settle();
    assert_true(strict.verdicts.empty());
    world.store.answer("1");
    assert_true(cached.verdicts == Verdicts{"allowed 1"});
    assert_true(strict.verdicts == Verdicts{"allowed 1"});
}

void cached_a_reported_change_is_read_for_who_comes_then(void**) {
    World world;
    World::Seen first;
    World::Seen second;
    World::Seen third;
    world.watch(first, "a");
    world.sessions.tracked(true);
    world.settle();
    world.store.answer("1");
    world.watch_cached(second, "a", 60000);
    world.sessions.invalidated("a");
    world.settle();
    assert_true(second.verdicts.empty());
    world.store.answer("2");
    assert_true(second.verdicts == Verdicts{"allowed 2"});
    assert_true((first.verdicts == Verdicts{"allowed 1", "allowed 2"}));
    world.sessions.missed();
    world.watch_cached(third, "a", 60000);
    world.settle();
    assert_true(third.verdicts.empty());
    world.store.answer(nullptr);
    assert_true(third.verdicts == Verdicts{"denied"});
}

void cached_a_session_without_reports_is_read_for_each(void**) {
    World world;
    World::Seen first;
    World::Seen second;
    world.watch_cached(first, "a", 60000, false);
    world.settle();
    world.store.answer("1");
    assert_int_equal(world.sessions.size(), 0);
    world.watch_cached(second, "a", 60000, false);
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
}

void cached_a_session_outlives_its_watches_until_it_is_too_old_or_changes(void**) {
    World world({.max_unwatched = 2});
    world.sessions.tracked(true);
    for (const char* key : {"a", "b", "c"}) {
        World::Seen seen;
        world.watch_cached(seen, key, 1000, false);
        world.settle();
        world.store.answer("1");
        assert_true(seen.verdicts == Verdicts{"allowed 1"});
    }
    assert_int_equal(world.sessions.size(), 2);
    World::Seen known;
    world.watch_cached(known, "a", 1000);
    world.settle();
    assert_true(known.verdicts == Verdicts{"allowed 1"});
    assert_int_equal(world.sessions.tally().reads, 3);
    known.watch.reset();
    assert_int_equal(world.sessions.size(), 2);
    world.sessions.invalidated("a");
    assert_int_equal(world.sessions.size(), 1);
    world.pass(1000);
    assert_int_equal(world.sessions.size(), 0);
    assert_int_equal(world.sessions.tally().reads, 3);
}

void changes_in_quick_succession_are_read_at_the_pace(void**) {
    World world({.pace = Milliseconds(250)});
    world.sessions.tracked(true);
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.store.answer("1");
    for (int n = 0; n < 10; ++n) {
        world.pass(10);
        world.sessions.invalidated("a");
    }
    world.settle();
    assert_int_equal(world.store.waiting.size(), 0);
    world.pass(250);
    assert_int_equal(world.store.waiting.size(), 1);
}

void a_change_behind_the_first_read_is_read_again_before_anybody_is_let_in(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.sessions.invalidated("a");
    world.store.answer("old");
    assert_true(seen.verdicts.empty());
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer(nullptr);
    assert_true(seen.verdicts == Verdicts{"denied"});
}

void a_session_that_changes_all_the_time_is_answered_all_the_same(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.sessions.invalidated("a");
    world.store.answer("1");
    world.sessions.invalidated("a");
    world.store.answer("2");
    assert_true(seen.verdicts == Verdicts{"allowed 2"});
    world.pass(1000);
    assert_int_equal(world.store.waiting.size(), 1);
}

void missed_reports_have_every_session_read_again_within_the_window(void**) {
    World world({.window = 8});
    world.sessions.tracked(true);
    std::vector<World::Seen> seen(1000);
    for (std::size_t n = 0; n < seen.size(); ++n) { world.watch(seen[n], std::to_string(n)); }
    world.settle();
    while (!world.store.waiting.empty()) {
        assert_true(world.store.waiting.size() <= 8);
        world.store.answer("1");
        world.settle();
    }
    assert_int_equal(world.sessions.tally().reads, 1000);
    world.pass(1000);
    world.sessions.missed();
    world.settle();
    while (!world.store.waiting.empty()) {
        assert_true(world.store.waiting.size() <= 8);
        world.store.answer(nullptr);
        world.settle();
    }
    for (auto& one : seen) { assert_true((one.verdicts == Verdicts{"allowed 1", "denied"})); }
}

void without_reports_sessions_are_read_at_their_interval(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a", true, 5000);
    world.settle();
    world.store.answer("1");
    world.pass(4999);
    assert_int_equal(world.store.waiting.size(), 0);
    world.pass(1);
    assert_int_equal(world.store.waiting.size(), 1);
}

void with_reports_nothing_is_read_without_one(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen seen;
    world.watch(seen, "a", true, 5000);
    world.settle();
    world.store.answer("1");
    world.pass(1000000);
    assert_int_equal(world.store.waiting.size(), 0);
}

void an_outage_refuses_newcomers_and_keeps_those_who_are_in(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen in;
    world.watch(in, "a");
    world.settle();
    world.store.answer("1");
    world.pass(1000);
    world.sessions.invalidated("a");
    World::Seen other;
    world.watch(other, "b");
    world.settle();
    assert_int_equal(world.store.waiting.size(), 2);
    world.store.lose();
    world.store.lose();
    assert_true(in.verdicts == Verdicts{"allowed 1"});
    assert_true(other.verdicts == Verdicts{"unavailable"});
    world.sessions.missed();
    world.pass(1000);
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer(nullptr);
    assert_true((in.verdicts == Verdicts{"allowed 1", "denied"}));
}

// Its reports come, it is known, and expires so late.
void let_in(World& world, World::Seen& seen, long long time_to_live) {
    world.sessions.tracked(true);
    world.watch(seen, "a");
    world.settle();
    world.store.answer("1");
    assert_true((world.store.times_to_live[0].words == Verdicts{"PTTL", "a"}));
    world.store.answer_time(time_to_live);
}

void a_session_is_read_when_it_has_expired(void**) {
    World world;
    World::Seen seen;
    let_in(world, seen, 5000);
    world.pass(5000);
    assert_true(world.store.waiting.empty());
    world.pass(1);
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer(nullptr);
    assert_true((seen.verdicts == Verdicts{"allowed 1", "denied"}));
}

void a_session_that_got_more_time_is_read_then(void**) {
    World world;
    World::Seen seen;
    let_in(world, seen, 5000);
    world.sessions.invalidated("a");
    world.pass(250);
    world.store.answer("1");
    world.store.answer_time(60000);
    world.pass(59000);
    assert_true(world.store.waiting.empty());
    world.pass(1001);
    assert_int_equal(world.store.waiting.size(), 1);
}

void a_session_that_never_expires_or_whose_time_is_secret_is_left_alone(void**) {
    World world;
    World::Seen seen;
    let_in(world, seen, -1);
    world.sessions.invalidated("a");
    world.pass(250);
    world.store.answer("1");
    world.store.refuse_time();
    world.pass(1 << 30);
    assert_true(world.store.waiting.empty());
}

void a_time_that_can_t_be_asked_about_stands_as_it_was_known(void**) {
    World world;
    World::Seen seen;
    let_in(world, seen, 5000);
    world.sessions.invalidated("a");
    world.pass(250);
    world.store.answer("1");
    world.store.lose_time();
    world.pass(4751);
    assert_int_equal(world.store.waiting.size(), 1);
}

void a_session_that_expires_in_years_is_read_once_a_day(void**) {
    constexpr int day = 24 * 3600 * 1000;
    World world;
    World::Seen seen;
    let_in(world, seen, 1LL << 62);
    for (int n = 0; n < 3; ++n) {
        world.pass(day);
        assert_true(world.store.waiting.empty());
        world.pass(1);
        world.store.answer("1");
        world.store.answer_time(1LL << 40);
    }
    assert_true((seen.verdicts == Verdicts{"allowed 1"}));
}

void cached_nobody_is_let_in_by_a_session_that_has_expired(void**) {
    World world;
    World::Seen first, second;
    world.sessions.tracked(true);
    world.watch_cached(first, "a", 60000, false);
    world.settle();
    world.store.answer("1");
    world.store.answer_time(5000);
    world.pass(5001);
    assert_int_equal(world.sessions.size(), 0);
    world.watch_cached(second, "a", 60000, false);
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
}

void a_question_that_is_not_live_is_answered_once(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a", false);
    world.settle();
    world.store.answer("1");
    assert_int_equal(world.sessions.size(), 0);
    world.sessions.invalidated("a");
    world.pass(1000);
    assert_int_equal(world.store.waiting.size(), 0);
}

void a_watch_that_leaves_cancels_its_read_and_frees_the_place(void**) {
    World world({.window = 1});
    World::Seen first;
    World::Seen second;
    world.watch(first, "a");
    world.watch(second, "b");
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    first.watch.reset();
    world.settle();
    assert_int_equal(world.store.waiting.size(), 2);
    world.store.answer("1");
    world.store.answer("2");
    assert_true(first.verdicts.empty());
    assert_true(second.verdicts == Verdicts{"allowed 2"});
}

void a_callback_may_end_watches_its_own_included(void**) {
    World world;
    World::Seen other;
    std::unique_ptr<Watch> own;
    int calls = 0;
    const std::string_view words[] = {"GET", "a"};
    own = world.sessions.watch({words, true, {}}, [&](const Verdict&) {
        ++calls;
        own.reset();
        other.watch.reset();
    });
    world.watch(other, "a");
    world.settle();
    world.store.answer("1");
    assert_int_equal(calls, 1);
    assert_true(other.verdicts.empty());
    assert_int_equal(world.sessions.size(), 0);
}

void too_many_who_wait_are_refused(void**) {
    World world({.window = 1, .max_waiting = 2});
    std::vector<World::Seen> seen(4);
    for (std::size_t n = 0; n < seen.size(); ++n) { world.watch(seen[n], std::to_string(n)); }
    world.settle();
    assert_true(seen[2].verdicts == Verdicts{"unavailable"});
    assert_true(seen[3].verdicts == Verdicts{"unavailable"});
    world.store.answer("1");
    world.settle();
    world.store.answer("2");
    assert_true(seen[0].verdicts == Verdicts{"allowed 1"});
    assert_true(seen[1].verdicts == Verdicts{"allowed 2"});
}

void who_waits_too_long_for_a_place_is_refused(void**) {
    World world({.window = 1, .patience = Milliseconds(1000)});
    World::Seen reading;
    World::Seen waiting;
    World::Seen later;
    world.watch(reading, "a");
    world.watch(waiting, "b");
    world.settle();
    world.pass(500);
    world.watch(later, "c");
    world.pass(499);
    assert_true(waiting.verdicts.empty());
    world.pass(1);
    assert_true(waiting.verdicts == Verdicts{"unavailable"});
    assert_true(later.verdicts.empty());
    assert_true(reading.verdicts.empty());
    assert_int_equal(world.sessions.size(), 2);
    world.store.answer("1");
    world.settle();
    world.store.answer("3");
    assert_true(reading.verdicts == Verdicts{"allowed 1"});
    assert_true(later.verdicts == Verdicts{"allowed 3"});
}

void a_change_is_still_read_when_who_waited_for_it_was_refused(void**) {
    World world({.window = 1, .patience = Milliseconds(1000)});
    world.sessions.tracked(true);
    World::Seen in;
    World::Seen reading;
    World::Seen waiting;
    world.watch(in, "a");
    world.settle();
    world.store.answer("1");
    world.watch(reading, "b");
    world.settle();
    world.sessions.invalidated("a");
    world.watch(waiting, "a");
    world.pass(1000);
    assert_true(waiting.verdicts == Verdicts{"unavailable"});
    world.store.answer("2");
    world.settle();
    world.store.answer(nullptr);
    assert_true((in.verdicts == Verdicts{"allowed 1", "denied"}));
}

void a_session_is_renewed_while_a_watch_wants_it(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen one;
    World::Seen two;
    world.watch(one, "a");
    world.watch(two, "a");
    world.settle();
    world.store.answer("1");
    const ws::auth::Renewal renewal{Milliseconds(60000), Milliseconds(6000)};
    one.watch->renew(renewal);
    two.watch->renew(renewal);
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    const auto& words = world.store.waiting[0].words;
    assert_true(
        (words[0] == "EVAL" && words[2] == "1" && words[3] == "a" && words[4] == "60000" && words[5] == "57000"));
    world.store.answer("1");
    world.pass(5999);
    assert_int_equal(world.store.waiting.size(), 0);
    world.pass(1);
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer("1");
    one.watch.reset();
    world.pass(6000);
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer("1");
    World::Seen other;
    world.watch(other, "a");  // one that doesn't want it
    world.settle();
    world.store.answer("1");
    two.watch.reset();
    world.pass(60000);
    assert_int_equal(world.store.waiting.size(), 0);
}

void a_store_that_refuses_to_renew_is_asked_no_more(void**) {
    std::vector<std::string> refused;
    World world({.on_renewal_refused = [&](std::string_view code) { refused.emplace_back(code); }});
    world.sessions.tracked(true);
    std::vector<World::Seen> seen(2);
    for (std::size_t n = 0; n < seen.size(); ++n) {
        world.watch(seen[n], std::to_string(n));
        world.settle();
        world.store.answer("1");
        seen[n].watch->renew({Milliseconds(60000), Milliseconds(6000)});
    }
    world.settle();
    world.store.refuse("NOPERM no");
    world.store.refuse("NOPERM no");
    world.pass(60000);
    assert_true(refused == Verdicts{"NOPERM"});
    assert_int_equal(world.store.waiting.size(), 0);
    assert_int_equal(world.sessions.size(), 2);
}

void a_hash_and_a_string_of_one_key_are_two_sessions(void**) {
    World world;
    World::Seen text;
    World::Seen hash;
    world.watch(text, "a");
    const std::string_view words[] = {"HGETALL", "a"};
    hash.watch = world.sessions.watch({words, true, {}}, [&](const Verdict&) { hash.verdicts.emplace_back("told"); });
    assert_int_equal(world.sessions.size(), 2);
    world.settle();
    world.store.answer("1");
    world.store.answer(nullptr);
    assert_int_equal(hash.verdicts.size(), 1);
    assert_true(text.verdicts == Verdicts{"allowed 1"});
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_before_the_event_loop_runs),
        cmocka_unit_test(one_read_answers_all_who_wait),
        cmocka_unit_test(a_change_is_read_once_and_told_to_all),
        cmocka_unit_test(a_session_that_is_gone_ends_its_watches_and_is_forgotten),
        cmocka_unit_test(who_comes_behind_a_read_is_answered_by_the_next),
        cmocka_unit_test(a_known_session_is_read_again_for_who_comes),
        cmocka_unit_test(a_value_that_is_the_same_is_no_news),
        cmocka_unit_test(cached_what_is_known_will_do_until_it_is_too_old),
        cmocka_unit_test(cached_who_is_strict_is_answered_by_a_read_all_the_same),
        cmocka_unit_test(cached_a_reported_change_is_read_for_who_comes_then),
        cmocka_unit_test(cached_a_session_without_reports_is_read_for_each),
        cmocka_unit_test(cached_a_session_outlives_its_watches_until_it_is_too_old_or_changes),
        cmocka_unit_test(who_waits_too_long_for_a_place_is_refused),
        cmocka_unit_test(a_change_is_still_read_when_who_waited_for_it_was_refused),
        cmocka_unit_test(a_session_is_renewed_while_a_watch_wants_it),
        cmocka_unit_test(a_store_that_refuses_to_renew_is_asked_no_more),
        cmocka_unit_test(changes_in_quick_succession_are_read_at_the_pace),
        cmocka_unit_test(a_change_behind_the_first_read_is_read_again_before_anybody_is_let_in),
        cmocka_unit_test(a_session_that_changes_all_the_time_is_answered_all_the_same),
        cmocka_unit_test(missed_reports_have_every_session_read_again_within_the_window),
        cmocka_unit_test(without_reports_sessions_are_read_at_their_interval),
        cmocka_unit_test(with_reports_nothing_is_read_without_one),
        cmocka_unit_test(an_outage_refuses_newcomers_and_keeps_those_who_are_in),
        cmocka_unit_test(a_session_is_read_when_it_has_expired),
        cmocka_unit_test(a_session_that_got_more_time_is_read_then),
        cmocka_unit_test(a_session_that_never_expires_or_whose_time_is_secret_is_left_alone),
        cmocka_unit_test(a_time_that_can_t_be_asked_about_stands_as_it_was_known),
        cmocka_unit_test(a_session_that_expires_in_years_is_read_once_a_day),
        cmocka_unit_test(cached_nobody_is_let_in_by_a_session_that_has_expired),
        cmocka_unit_test(a_question_that_is_not_live_is_answered_once),
        cmocka_unit_test(a_watch_that_leaves_cancels_its_read_and_frees_the_place),
        cmocka_unit_test(a_callback_may_end_watches_its_own_included),
        cmocka_unit_test(too_many_who_wait_are_refused),
        cmocka_unit_test(a_hash_and_a_string_of_one_key_are_two_sessions),
    };
    return cmocka_run_group_tests_name("auth sessions", tests, nullptr, nullptr);
}
