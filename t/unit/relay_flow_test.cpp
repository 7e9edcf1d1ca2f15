// The relay between two scripted peers: what it reads and sends, and when it pauses.
#include "relay_wired.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace wired_relay;
using ws::test::assert_bytes_equal;

namespace {

// Memory runs short when it has put out a part.
class ShortOfMemory final : public Delivery {
public:
    void open(Output& output) override { put(output); }
    void consume(Side, std::span<char>& input, Output& output) override {
        output.forward = {input.data(), input.size()};
        put(output);
    }
    void change_context(std::shared_ptr<const ws::context::Context>, Output& output) override { put(output); }
    CommandResult command(const ws::context::Command&, Output& output) override {
        put(output);
        return CommandResult::done;
    }
    void resume(Output& output) override { put(output); }
    bool ping(Output&) override { return false; }
    void ended(Side, Output& output) override { put(output); }
    void close(const Close&, const Close&, Output& output) override { put(output); }

    bool short_of_memory = false;

private:
    void put(Output& output) const {
        if (!short_of_memory) { return; }
        output.client += "another client's";
        output.backend += "another client's";
        throw std::bad_alloc();
    }
};

void early_bytes_of_both_sides_are_passed_on_before_what_follows(void** state) {
    Wired& w = wired(state);
    w.client.arriving.push_back(client(0x81, "second"));
    w.backend.arriving.push_back(server(0x81, "more"));
    assert_state(w.start(client(0x81, "first"), server(0x81, "hello")), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "first") + client(0x81, "second"));
    assert_bytes_equal(w.client.got, server(0x81, "hello") + server(0x81, "more"));
}

void a_backend_that_said_all_before_the_takeover_is_heard(void** state) {
    Wired& w = wired(state);
    w.backend.then = ScriptedPeer::Then::end;
    assert_state(w.start({}, server(0x81, "hello") + server_close(1000)), State::open);
    assert_bytes_equal(w.client.got, server(0x81, "hello") + server_close(1000));
    assert_state(w.from_client(client_close(1000)), State::done);
}

void a_busy_side_leaves_the_others_a_turn(void** state) {
    Wired& w = wired(state);
    for (int i = 0; i < 40; ++i) { w.client.arriving.push_back(client(0x82, std::string(1000, 'x'))); }
    assert_state(w.readable(Side::client), State::busy);
    assert_false(w.client.arriving.empty());
    State last = State::busy;
    for (int i = 0; i < 10 && last == State::busy; ++i) { last = w.readable(Side::client); }
    assert_state(last, State::open);
    assert_int_equal(w.backend.got.size(), 40 * client(0x82, std::string(1000, 'x')).size());
}

void nothing_is_read_that_could_not_be_passed_on(void** state) {
    Wired& w = wired(state);
    w.backend.room = 10;
    const std::string first = client(0x82, std::string(100, 'a'));
    const std::string second = client(0x82, std::string(100, 'b'));
    assert_state(w.from_client(first), State::open);
    assert_state(w.from_client(second), State::open);
    assert_int_equal(w.client.arriving.size(), 1);
    // The other direction flows.
    (void)w.from_backend(server(0x81, "still"));
    assert_bytes_equal(w.client.got, server(0x81, "still"));
    w.backend.room = 30;
    (void)w.relay.writable(Side::backend, w.now);
    assert_int_equal(w.client.arriving.size(), 1);
    w.backend.room = unlimited;
    assert_state(w.relay.writable(Side::backend, w.now), State::open);
    assert_bytes_equal(w.backend.got, first + second);
}

void a_send_that_takes_one_byte_each_time_delivers_all(void** state) {
    Wired& w = wired(state);
    w.client.room = 0;
    std::string all;
    for (int i = 0; i < 20; ++i) {
        all += server(0x81, std::string(static_cast<std::size_t>(i), 'x'));
        w.backend.arriving.push_back(server(0x81, std::string(static_cast<std::size_t>(i), 'x')));
    }
    (void)w.readable(Side::backend);
    for (std::size_t i = 0; i < all.size(); ++i) {
        w.client.room = 1;
        (void)w.relay.writable(Side::client, w.now);
    }
    assert_bytes_equal(w.client.got, all);
}

void a_side_stuck_in_sending_is_read_although_it_does_not_read(void** state) {
    Wired& w = wired(state);
    w.backend.room = 10;
    const std::string large = client(0x82, std::string(300'000, 'a'));
    for (std::size_t at = 0; at < large.size(); at += 100'000) {
        w.client.arriving.push_back(large.substr(at, 100'000));
    }
    (void)w.readable(Side::client);
    assert_false(w.client.arriving.empty());
    (void)w.from_backend(server(0x81, "first this"));
    assert_bytes_equal(w.client.got, server(0x81, "first this"));
    w.backend.room = unlimited;
    (void)w.relay.writable(Side::backend, w.now);
    assert_bytes_equal(w.backend.got, large);
}

void a_side_is_read_until_more_than_max_pending_waits_for_the_other(void**) {
    Wired w({.max_pending = 2500});
    assert_state(w.start(), State::open);
    w.client.room = 500;
    const std::string frame = server(0x82, std::string(1000, 'x'));
    for (int i = 0; i < 4; ++i) { (void)w.from_backend(frame); }
    // 508 wait after the first, 1512 after the second, 2516 after the third.
    assert_int_equal(w.backend.arriving.size(), 1);
    w.client.room = 100;
    (void)w.relay.writable(Side::client, w.now);
    assert_int_equal(w.backend.arriving.size(), 0);
    w.client.room = unlimited;
    (void)w.relay.writable(Side::client, w.now);
    assert_bytes_equal(w.client.got, frame + frame + frame + frame);
    w.client.room = 0;
    for (int i = 0; i < 2; ++i) { (void)w.from_backend(frame); }
    assert_state(w.later(300), State::open);
    w.client.room = unlimited;
    (void)w.relay.writable(Side::client, w.now);
    assert_bytes_equal(w.client.got,
                       frame + frame + frame + frame + frame + frame + server_close(1013, "client reads too slowly"));
}

// Whatever the step, the next one of another connection sends nothing but its own.
void a_step_that_runs_out_of_memory_leaves_nothing_for_another_connection(void**) {
    const std::vector<std::function<void(Relay&, ScriptedPeer&)>> steps{
        [](Relay& relay, ScriptedPeer&) { (void)relay.start({}, {}, Milliseconds(1)); },
        [](Relay& relay, ScriptedPeer& client) {
            client.arriving.emplace_back("read");
            (void)relay.readable(Side::client, Milliseconds(1));
        },
        [](Relay& relay, ScriptedPeer& client) {
            client.arriving.emplace_back("read");
            (void)relay.writable(Side::client, Milliseconds(1));
        },
        [](Relay& relay, ScriptedPeer&) { (void)relay.expired(Milliseconds(5000)); },
        [](Relay& relay, ScriptedPeer&) {
            (void)relay.close({1001, ""}, {1001, ""}, Milliseconds(1));
        },
        [](Relay& relay, ScriptedPeer&) { (void)relay.change_context(nullptr, Milliseconds(1)); },
        [](Relay& relay, ScriptedPeer&) { (void)relay.resume(Milliseconds(1)); },
        [](Relay& relay, ScriptedPeer&) {
            CommandResult result{};
            (void)relay.command(ws::context::MessageCommand{}, result, Milliseconds(1));
        },
    };
    for (const auto& step : steps) {
        Wired other;
        ScriptedPeer client;
        ScriptedPeer backend;
        auto delivery = std::make_unique<ShortOfMemory>();
        ShortOfMemory& memory = *delivery;
        Relay relay(client, backend, std::move(delivery), {.idle = Milliseconds(1000)}, {}, *other.scratch);
        if (&step != &steps.front()) { (void)relay.start({}, {}, Milliseconds(1)); }
        memory.short_of_memory = true;
        bool thrown = false;
        try {
            step(relay, client);
        } catch (const std::bad_alloc&) {
            thrown = true;
            relay.abandon();
        }
        assert_true(thrown);
        assert_state(other.start(), State::open);
        assert_bytes_equal(other.client.got, "");
        assert_bytes_equal(other.backend.got, "");
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        TEST_UNSTARTED(early_bytes_of_both_sides_are_passed_on_before_what_follows),
        TEST_UNSTARTED(a_backend_that_said_all_before_the_takeover_is_heard),
        TEST(a_busy_side_leaves_the_others_a_turn),
        TEST(nothing_is_read_that_could_not_be_passed_on),
        TEST(a_send_that_takes_one_byte_each_time_delivers_all),
        TEST(a_side_stuck_in_sending_is_read_although_it_does_not_read),
        cmocka_unit_test(a_side_is_read_until_more_than_max_pending_waits_for_the_other),
        cmocka_unit_test(a_step_that_runs_out_of_memory_leaves_nothing_for_another_connection),
    };
    return cmocka_run_group_tests_name("relay: flow", tests, nullptr, nullptr);
}
