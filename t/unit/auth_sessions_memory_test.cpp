// Sessions without memory: whatever could not be done, nobody waits without end, and nothing that has changed stays untold.
#include "auth_sessions.hpp"

#include <utility>

#include "heap.hpp"

namespace {

using sessions::ScriptedStore;
using sessions::Verdicts;
using ws::auth::Milliseconds;
using ws::auth::Sessions;
using ws::auth::Verdict;
using ws::auth::Watch;

// The scripted one; a command that there is no memory for has not been sent.
class Store final : public ws::redis::Store {
public:
    std::unique_ptr<ws::redis::Pending> send(std::span<const std::string_view> argv, Done done) override {
        request_memory();
        const heap::Apart apart;
        return scripted.send(argv, std::move(done));
    }
    void track(ws::redis::Invalidations&) override {
        request_memory();
        tracked = true;
    }

    ScriptedStore scripted;
    bool tracked = false;

private:
    static void request_memory() { delete new char; }
};

class Clock final : public ws::auth::Clock {
public:
    Milliseconds now() const noexcept override { return time; }
    void wake_at(Milliseconds at) noexcept override { next = std::min(next, at); }

    static constexpr Milliseconds never{1LL << 60};
    Milliseconds time{1000000};
    Milliseconds next = never;
};

struct Client {
    std::string last;
    std::unique_ptr<Watch> watch;
    bool live = false;
};

// Two sessions, their clients, and a Redis that has them.
class World {
public:
    // What is missing now is done later, as in the worker.
    template <class Step>
    void attempt(Step step) {
        try {
            step();
        } catch (const std::bad_alloc&) { clock.wake_at(clock.now() + Milliseconds(100)); }
    }

    void come(Client& client, bool live, int cache) {
        const std::string_view words[] = {"GET", "session:that-has-a-long-name"};
        client.live = live;
        client.watch =
            sessions.watch({words, live, Milliseconds(30000), Milliseconds(cache)}, [&client](const Verdict& verdict) {
                const heap::Apart apart;
                client.last = verdict.status == WS_AUTH_ALLOWED       ? std::string(ws::auth::view(verdict.session))
                              : verdict.status == WS_AUTH_UNAVAILABLE ? "unavailable"
                                                                      : "denied";
            });
    }

    void answer_all() {
        while (!store.scripted.waiting.empty() || !store.scripted.times_to_live.empty()) {
            attempt([&] {
                if (!store.scripted.times_to_live.empty()) { return store.scripted.answer_time(50000); }
                const bool renewal = store.scripted.waiting.front().words.front() == "EVAL";
                store.scripted.answer(renewal ? "1" : value);
            });
        }
    }

    void pass(int milliseconds) {
        const Milliseconds end = clock.time + Milliseconds(milliseconds);
        while (clock.next <= end) {
            clock.time = std::max(clock.time, std::exchange(clock.next, Clock::never));
            attempt([this] { sessions.run(); });
            answer_all();
        }
        clock.time = end;
    }

    Store store;
    Clock clock;
    Sessions sessions{store, clock, {}};
    const char* value = R"({"user":"somebody with a long name"})";  // null: none
};

// Everything that happens to sessions, with one request for memory that fails. False: there were not so many.
bool lives_through(std::size_t fails_at) {
    World world;
    std::vector<Client> clients(5);
    heap::fails_at = fails_at;
    world.sessions.tracked(true);
    for (std::size_t n = 0; n < clients.size(); ++n) {
        world.attempt([&] { world.come(clients[n], n % 2 == 0, n < 3 ? 0 : 60000); });
        if (n == 1 || n == 3) { world.pass(10); }
    }
    world.pass(10);
    for (Client& client : clients) {
        if (client.watch != nullptr) {
            world.attempt([&] { client.watch->renew({Milliseconds(60000), Milliseconds(6000)}); });
        }
    }
    world.pass(20000);
    world.value = R"({"user":"somebody else with a long name"})";
    world.attempt([&] { world.sessions.invalidated("session:that-has-a-long-name"); });
    world.pass(300);
    world.attempt([&] { world.sessions.missed(); });
    world.pass(60000);
    const bool all = heap::fails_at == 0;
    heap::fails_at = 0;

    for (const Client& client : clients) {
        if (client.watch == nullptr) { continue; }
        assert_false(client.last.empty());
        if (client.live && client.last != "unavailable") { assert_string_equal(client.last.c_str(), world.value); }
    }
    // As ever: newcomers are let in, and the end is told.
    Client late;
    world.come(late, true, 0);
    world.pass(1000);
    assert_true(world.store.tracked);
    assert_string_equal(late.last.c_str(), world.value);
    world.value = nullptr;
    world.sessions.invalidated("session:that-has-a-long-name");
    world.pass(1000);
    assert_string_equal(late.last.c_str(), "denied");
    for (const Client& client : clients) {
        if (client.live && client.watch != nullptr) {
            assert_true(client.last == "denied" || client.last == "unavailable");
        }
    }
    clients.clear();
    late.watch.reset();
    world.pass(100000);
    assert_int_equal(world.sessions.size(), 0);
    assert_true(world.store.scripted.waiting.empty());
    return all;
}

void each_request_for_memory_may_fail(void**) {
    std::size_t n = 1;
    while (lives_through(n)) { ++n; }
    assert_in_range(n, 50, 1000);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(each_request_for_memory_may_fail),
    };
    return cmocka_run_group_tests_name("sessions without memory", tests, nullptr, nullptr);
}
