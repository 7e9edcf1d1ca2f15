// The relay between two scripted peers: what it reads, when it pauses, and how it ends.
#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "context/recipe.h"
#include "relay/envelope_delivery.h"
#include "relay/headers_delivery.h"
#include "relay/relay.h"
#include "websocket_wire.hpp"

#include "cmocka.hpp"  // last: it makes `fail` a macro

using namespace ws::relay;
using wire::client;
using wire::server;
using ws::test::assert_bytes_equal;
using State = Relay::State;
namespace close_code = ws::websocket::close_code;

namespace {

constexpr std::size_t unlimited = ~std::size_t{0};

class ScriptedPeer final : public Peer {
public:
    std::deque<std::string> arriving;
    enum class Then { silence, end, error } then = Then::silence;
    std::size_t room = unlimited;  // what it still takes
    bool broken = false;           // sending fails
    bool can_half_close = true;
    std::string got;
    int half_closed = 0;
    std::string got_before_hold;
    int held = 0;
    int reads = 0;

    Result recv(std::span<char> into) noexcept override {
        ++reads;
        if (arriving.empty()) {
            return {then == Then::silence ? Status::again : then == Then::end ? Status::end : Status::error, 0};
        }
        const std::size_t n = arriving.front().copy(into.data(), into.size());
        arriving.front().erase(0, n);
        if (arriving.front().empty()) { arriving.pop_front(); }
        return {Status::ok, n};
    }

    Result send(std::string_view data) noexcept override {
        if (broken) { return {Status::error, 0}; }
        const std::size_t n = std::min(room, data.size());
        if (n == 0) { return {Status::again, 0}; }
        got += data.substr(0, n);
        if (room != unlimited) { room -= n; }
        return {Status::ok, n};
    }

    void hold() noexcept override {
        ++held;
        got_before_hold = got;
    }

    bool finish_sending() noexcept override {
        ++half_closed;
        return can_half_close;
    }
};

class OneMaskKey final : public MaskKeys {
public:
    ws::websocket::MaskKey next() noexcept override { return wire::key; }
};

std::string close_body(unsigned code, std::string_view reason = "") {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + std::string(reason);
}
std::string client_close(unsigned code, std::string_view reason = "") { return client(0x88, close_body(code, reason)); }
std::string server_close(unsigned code, std::string_view reason = "") { return server(0x88, close_body(code, reason)); }

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

struct Wired {
    explicit Wired(std::size_t max_pending = 0)
        : relay(client, backend, std::make_unique<HeadersDelivery>(false, keys),
                {Milliseconds(1000), Milliseconds(100), {}, {}, Milliseconds(300), Milliseconds(400)}, {}, *scratch,
                max_pending) {}

    ScriptedPeer client;
    ScriptedPeer backend;
    OneMaskKey keys;
    std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
    Relay relay;
    Milliseconds now{50'000};

    State start(std::string_view early_client = {}, std::string_view early_backend = {}) {
        return relay.start(early_client, early_backend, now);
    }
    State from_client(std::string bytes) {
        client.arriving.push_back(std::move(bytes));
        return relay.readable(Side::client, now);
    }
    State from_backend(std::string bytes) {
        backend.arriving.push_back(std::move(bytes));
        return relay.readable(Side::backend, now);
    }
    State client_ends(ScriptedPeer::Then how = ScriptedPeer::Then::end) {
        client.then = how;
        return relay.readable(Side::client, now);
    }
    State backend_ends(ScriptedPeer::Then how = ScriptedPeer::Then::end) {
        backend.then = how;
        return relay.readable(Side::backend, now);
    }
    State later(int milliseconds) {
        now += Milliseconds(milliseconds);
        return relay.expired(now);
    }
};

int setup(void** state) {
    auto* wired = new Wired;
    *state = wired;
    return wired->start() == State::open ? 0 : -1;
}

int setup_unstarted(void** state) {
    *state = new Wired;
    return 0;
}

int teardown(void** state) {
    delete static_cast<Wired*>(*state);
    return 0;
}

Wired& wired(void** state) { return *static_cast<Wired*>(*state); }

void assert_state(State got, State wanted, std::source_location where = std::source_location::current()) {
    if (got != wanted) {
        print_error("state %d, wanted %d\n", static_cast<int>(got), static_cast<int>(wanted));
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

void assert_end(const Wired& w, End::Cause cause, int code,
                std::source_location where = std::source_location::current()) {
    const End& end = w.relay.delivery().end();
    if (end.cause != cause || end.code != code) {
        print_error("ended by %d with %d\n", static_cast<int>(end.cause), end.code);
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

// Flow

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
    assert_state(w.relay.readable(Side::client, w.now), State::busy);
    assert_false(w.client.arriving.empty());
    State last = State::busy;
    for (int i = 0; i < 10 && last == State::busy; ++i) { last = w.relay.readable(Side::client, w.now); }
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
    (void)w.relay.readable(Side::backend, w.now);
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
    (void)w.relay.readable(Side::client, w.now);
    assert_false(w.client.arriving.empty());
    (void)w.from_backend(server(0x81, "first this"));
    assert_bytes_equal(w.client.got, server(0x81, "first this"));
    w.backend.room = unlimited;
    (void)w.relay.writable(Side::backend, w.now);
    assert_bytes_equal(w.backend.got, large);
}

void a_side_is_read_until_more_than_max_pending_waits_for_the_other(void**) {
    Wired w(2500);
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

// Close handshakes

void a_close_of_the_client_and_its_answer_end_the_connection(void** state) {
    Wired& w = wired(state);
    assert_state(w.from_client(client_close(4001, "bye")), State::open);
    assert_bytes_equal(w.backend.got, client_close(4001, "bye"));
    // The backend may still say something before it answers.
    assert_state(w.from_backend(server(0x81, "last")), State::open);
    assert_state(w.from_backend(server_close(4001)), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "last") + server_close(4001));
    assert_end(w, End::Cause::client, 4001);
}

void a_close_frame_that_ends_all_leaves_with_the_end_of_the_stream(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(client_close(1000));
    (void)w.from_backend(server(0x81, "last"));
    assert_int_equal(w.client.held, 0);
    w.backend.reads = 0;
    assert_state(w.from_backend(server_close(1000)), State::done);
    assert_int_equal(w.backend.reads, 1);  // nothing more can come
    assert_int_equal(w.client.held, 1);
    assert_bytes_equal(w.client.got_before_hold, server(0x81, "last"));
    assert_int_equal(w.client.half_closed, 1);
    assert_int_equal(w.backend.held, 0);
}

void nothing_is_held_back_while_something_waits(void** state) {
    Wired& w = wired(state);
    w.client.room = 0;
    (void)w.from_client(client_close(1000));
    (void)w.from_backend(server(0x81, "waits"));
    assert_state(w.from_backend(server_close(1000)), State::open);
    assert_int_equal(w.client.held, 0);
    w.client.room = unlimited;
    assert_state(w.relay.writable(Side::client, w.now), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "waits") + server_close(1000));
}

void what_follows_a_close_frame_goes_nowhere(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(client_close(1000) + "GET /forbidden HTTP/1.1\r\n\r\n");
    (void)w.from_client("more");
    assert_bytes_equal(w.backend.got, client_close(1000));
    (void)w.from_backend(server_close(1000) + server(0x81, "late"));
    assert_bytes_equal(w.client.got, server_close(1000));
}

void an_unanswered_close_ends_after_the_close_timeout(void** state) {
    Wired& w = wired(state);
    (void)w.from_backend(server_close(1000));
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 100);
    assert_state(w.later(99), State::open);
    (void)w.from_client(client(0x81, "not an answer"));  // does not move the deadline
    assert_state(w.later(1), State::done);
}

void the_gateway_closes_both_sides_and_drops_what_comes_before_the_answers(void** state) {
    Wired& w = wired(state);
    assert_state(w.relay.close({1012, "server restart"}, {1001, "server restart"}, w.now), State::open);
    assert_bytes_equal(w.client.got, server_close(1012, "server restart"));
    assert_bytes_equal(w.backend.got, client_close(1001, "server restart"));
    (void)w.from_client(client(0x81, "crossing"));
    (void)w.from_backend(server(0x81, "crossing"));
    assert_state(w.from_client(client_close(1012)), State::open);
    assert_int_equal(w.client.half_closed, 1);
    assert_state(w.from_backend(server_close(1001)), State::done);
    assert_bytes_equal(w.client.got, server_close(1012, "server restart"));
    assert_bytes_equal(w.backend.got, client_close(1001, "server restart"));
    assert_end(w, End::Cause::gateway, 1012);
}

void a_close_of_the_gateway_waits_for_the_end_of_a_frame(void** state) {
    Wired& w = wired(state);
    const std::string up = client(0x82, std::string(50, 'u'));
    const std::string down = server(0x82, std::string(50, 'd'));
    (void)w.from_client(up.substr(0, 20));
    (void)w.from_backend(down.substr(0, 20));
    (void)w.relay.close({1012, "r"}, {1001, "r"}, w.now);
    assert_bytes_equal(w.client.got, down.substr(0, 20));
    (void)w.from_client(up.substr(20) + client(0x81, "next"));
    (void)w.from_backend(down.substr(20) + server(0x81, "next"));
    assert_bytes_equal(w.backend.got, up + client_close(1001, "r"));
    assert_bytes_equal(w.client.got, down + server_close(1012, "r"));
}

void a_close_of_the_gateway_in_frames_that_never_end_cuts_after_the_close_timeout(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(client(0x82, "half").substr(0, 7));
    (void)w.from_backend(server(0x82, "half").substr(0, 3));
    assert_state(w.relay.close({1012, ""}, {1001, ""}, w.now), State::open);
    assert_state(w.later(100), State::done);
}

void an_idle_timeout_in_the_middle_of_two_frames_ends_after_the_close_timeout(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(client(0x82, "half").substr(0, 7));
    (void)w.from_backend(server(0x82, "half").substr(0, 3));
    assert_state(w.later(1000), State::open);
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 100);
    assert_state(w.later(100), State::done);
}

// Ends without a close frame

void a_backend_that_leaves_is_told_to_the_client(void** state) {
    for (const auto how : {ScriptedPeer::Then::end, ScriptedPeer::Then::error}) {
        teardown(state);
        setup(state);
        Wired& w = wired(state);
        assert_state(w.backend_ends(how), State::open);
        assert_bytes_equal(w.client.got, server_close(1014, "backend gone"));
        assert_state(w.from_client(client_close(1014)), State::done);
        assert_end(w, End::Cause::backend, 1014);
    }
}

void a_backend_that_leaves_in_a_frame_cuts_the_client(void** state) {
    Wired& w = wired(state);
    const std::string half = server(0x82, "half").substr(0, 4);
    (void)w.from_backend(half);
    assert_state(w.backend_ends(), State::done);
    assert_bytes_equal(w.client.got, half);
    assert_int_equal(w.client.half_closed, 1);
}

void a_half_closed_client_gets_its_answers(void** state) {
    Wired& w = wired(state);
    w.client.arriving.push_back(client(0x81, "question"));
    assert_state(w.client_ends(), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "question"));
    assert_int_equal(w.backend.half_closed, 1);
    assert_state(w.from_backend(server(0x81, "answer")), State::open);
    assert_state(w.backend_ends(), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "answer") + server_close(1014, "backend gone"));
    assert_int_equal(w.backend.half_closed, 1);
    assert_end(w, End::Cause::client, 1006);
}

void a_half_closed_client_gets_its_answers_where_the_backend_can_not_be_half_closed(void** state) {
    Wired& w = wired(state);
    w.backend.can_half_close = false;
    w.client.arriving.push_back(client(0x81, "question"));
    assert_state(w.client_ends(), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "question") + client_close(1001));
    assert_state(w.from_backend(server(0x81, "answer")), State::open);
    assert_state(w.from_backend(server_close(1001)), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "answer") + server_close(1001));
}

void a_client_that_leaves_in_a_frame_cuts_the_backend(void** state) {
    Wired& w = wired(state);
    const std::string half = client(0x82, "half").substr(0, 8);
    (void)w.from_client(half);
    assert_state(w.client_ends(ScriptedPeer::Then::error), State::open);
    assert_bytes_equal(w.backend.got, half);
    assert_int_equal(w.backend.half_closed, 1);
    assert_state(w.backend_ends(), State::done);
}

void a_client_that_leaves_in_a_frame_ends_at_once_where_the_backend_can_not_be_half_closed(void** state) {
    Wired& w = wired(state);
    w.backend.can_half_close = false;
    (void)w.from_client(client(0x82, "half").substr(0, 8));
    assert_state(w.client_ends(), State::done);
}

void a_client_that_breaks_a_header_is_told_after_the_frame_of_a_backend_that_can_not_be_half_closed(void** state) {
    Wired& w = wired(state);
    w.backend.can_half_close = false;
    const std::string frame = server(0x82, "half and half");
    (void)w.from_backend(frame.substr(0, 6));
    (void)w.from_client("\x81");
    assert_state(w.from_client(std::string("\x05") + "no mask"), State::open);
    assert_bytes_equal(w.client.got, frame.substr(0, 6));
    assert_state(w.from_backend(frame.substr(6)), State::done);
    assert_bytes_equal(w.client.got, frame + server_close(1002, "unmasked frame from a client"));
    assert_bytes_equal(w.backend.got, "\x81");
}

void a_client_whose_connection_is_broken_does_not_stop_the_backend_from_hearing_all(void** state) {
    Wired& w = wired(state);
    w.backend.room = 4;
    const std::string text = client(0x81, "last words");
    w.client.arriving.push_back(text);
    (void)w.client_ends(ScriptedPeer::Then::error);
    assert_int_equal(w.backend.half_closed, 0);
    w.backend.room = unlimited;
    assert_state(w.relay.writable(Side::backend, w.now), State::open);
    assert_bytes_equal(w.backend.got, text);
    assert_int_equal(w.backend.half_closed, 1);
    // What the backend sends is read and dropped.
    w.client.broken = true;
    assert_state(w.from_backend(server(0x81, "answer")), State::open);
    assert_state(w.backend_ends(), State::done);
    assert_bytes_equal(w.client.got, "");
}

void what_waits_for_a_slow_client_is_sent_before_the_end(void** state) {
    Wired& w = wired(state);
    w.client.room = 3;
    const std::string all = server(0x81, "a long farewell") + server_close(1000);
    w.backend.arriving.push_back(all);
    assert_state(w.backend_ends(), State::open);
    assert_state(w.from_client(client_close(1000)), State::open);
    w.client.room = unlimited;
    assert_state(w.relay.writable(Side::client, w.now), State::done);
    assert_bytes_equal(w.client.got, all);
}

// Timeouts

void the_idle_timeout_closes_both_sides(void** state) {
    Wired& w = wired(state);
    assert_state(w.later(600), State::open);
    (void)w.from_backend(server(0x89, ""));  // a byte of either side counts
    assert_state(w.later(999), State::open);
    assert_bytes_equal(w.backend.got, "");
    assert_state(w.later(1), State::open);
    assert_bytes_equal(w.client.got, server(0x89, "") + server_close(1001, "idle timeout"));
    assert_bytes_equal(w.backend.got, client_close(1001, "idle timeout"));
    assert_end(w, End::Cause::gateway, 1001);
}

void a_slow_reader_of_a_long_message_is_not_idle(void** state) {
    Wired& w = wired(state);
    w.client.room = 1;
    const std::string text = server(0x81, "takes its time");
    (void)w.from_backend(text);
    for (std::size_t n = 1; n < text.size(); ++n) {
        assert_state(w.later(250), State::open);
        w.client.room = 1;
        assert_state(w.relay.writable(Side::client, w.now), State::open);
    }
    assert_bytes_equal(w.client.got, text);
    assert_state(w.later(999), State::open);
    assert_true(w.relay.delivery().end().cause == End::Cause::none);
    (void)w.later(1);
    assert_end(w, End::Cause::gateway, 1001);
}

void a_reader_that_takes_nothing_is_closed_after_its_send_timeout(void** state) {
    for (const Side side : {Side::client, Side::backend}) {
        teardown(state);
        setup(state);
        Wired& w = wired(state);
        const int limit = side == Side::client ? 300 : 400;
        ScriptedPeer& slow = side == Side::client ? w.client : w.backend;
        slow.room = 2;
        (void)(side == Side::client ? w.from_backend(server(0x81, "text")) : w.from_client(client(0x81, "text")));
        assert_int_equal(w.relay.deadline()->count(), w.now.count() + limit);
        assert_state(w.later(limit - 1), State::open);
        slow.room = 1;  // one byte is a sign of life
        assert_state(w.relay.writable(side, w.now), State::open);
        assert_state(w.later(limit - 1), State::open);
        assert_state(w.later(1), State::open);
        assert_end(w, End::Cause::gateway, 1013);
        if (side == Side::client) {
            assert_bytes_equal(w.backend.got, client_close(1001, "client reads too slowly"));
        } else {
            assert_bytes_equal(w.client.got, server_close(1013, "backend reads too slowly"));
        }
        assert_int_equal(w.relay.deadline()->count(), w.now.count() + 100);
        assert_state(w.later(100), State::done);
    }
}

void a_slow_reader_that_wakes_up_gets_what_waited_and_is_told(void** state) {
    Wired& w = wired(state);
    w.client.room = 2;
    (void)w.from_backend(server(0x81, "text"));
    (void)w.later(300);
    w.client.room = unlimited;
    (void)w.relay.writable(Side::client, w.now);
    assert_bytes_equal(w.client.got, server(0x81, "text") + server_close(1013, "client reads too slowly"));
}

// Limits

struct Limited : Wired {
    Relay limited;
    Limited(const Timeouts& timeouts, const GateLimits& limits)
        : limited(client, backend, std::make_unique<HeadersDelivery>(false, keys), timeouts, limits, *scratch) {
        (void)limited.start({}, {}, now);
    }
    State read_client(std::string bytes) {
        client.arriving.push_back(std::move(bytes));
        return limited.readable(Side::client, now);
    }
    State later(int milliseconds) {
        now += Milliseconds(milliseconds);
        return limited.expired(now);
    }
};

void a_connection_is_closed_at_its_age_however_busy(void**) {
    Limited w({.close = Milliseconds(100), .age = Milliseconds(1000)}, {});
    assert_int_equal(w.limited.deadline()->count(), w.now.count() + 1000);
    assert_state(w.later(999), State::open);
    (void)w.read_client(client(0x81, "busy"));
    assert_state(w.later(1), State::open);
    assert_bytes_equal(w.client.got, server_close(1001, "connection too old"));
    assert_bytes_equal(w.backend.got, client(0x81, "busy") + client_close(1001, "connection too old"));
}

void too_many_messages_close_before_the_first_that_is_too_many(void**) {
    Limited w({.close = Milliseconds(100)}, {.messages = {60, 2}});
    const std::string three = client(0x81, "1") + client(0x81, "2") + client(0x81, "3");
    assert_state(w.read_client(three + client(0x89, "") + client(0x81, "4")), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "1") + client(0x81, "2") + client_close(1001, "too many messages"));
    assert_bytes_equal(w.client.got, server_close(1008, "too many messages"));
    assert_int_equal(static_cast<int>(w.limited.delivery().end().cause), static_cast<int>(End::Cause::client));
    // What it sends until it answers goes nowhere.
    (void)w.read_client(client(0x81, "5"));
    (void)w.read_client(client_close(1008));
    w.backend.arriving.push_back(server_close(1001));
    assert_state(w.limited.readable(Side::backend, w.now), State::done);
}

void a_fragmented_message_is_one(void**) {
    Limited w({.close = Milliseconds(100)}, {.messages = {60, 2}});
    const std::string fragments = client(0x01, "a") + client(0x00, "b") + client(0x89, "") + client(0x80, "c");
    assert_state(w.read_client(fragments + fragments), State::open);
    assert_bytes_equal(w.backend.got, fragments + fragments);
}

void a_delayed_client_is_not_read_until_its_time_has_come(void**) {
    Limited w({.close = Milliseconds(100)}, {.messages = {600, 2}, .delay_messages = true});
    std::string all;
    for (char c = 'a'; c < 'f'; ++c) { all += client(0x81, std::string(1, c)); }
    const std::size_t one = all.size() / 5;
    assert_state(w.read_client(all), State::open);
    assert_bytes_equal(w.backend.got, all.substr(0, 2 * one));
    (void)w.read_client(client(0x8a, ""));  // not even this is read
    assert_bytes_equal(w.backend.got, all.substr(0, 2 * one));
    for (std::size_t n = 3; n <= 5; ++n) {
        assert_int_equal(w.limited.deadline()->count(), w.now.count() + 100);
        assert_state(w.later(99), State::open);
        assert_bytes_equal(w.backend.got, all.substr(0, (n - 1) * one));
        (void)w.later(1);
        assert_bytes_equal(w.backend.got.substr(0, n * one), all.substr(0, n * one));
    }
    assert_bytes_equal(w.backend.got, all + client(0x8a, ""));
}

void a_delayed_client_is_read_at_the_end_of_the_connection(void**) {
    Limited w({.close = Milliseconds(100)}, {.messages = {1, 1}, .delay_messages = true});
    (void)w.read_client(client(0x81, "a") + client(0x81, "b"));
    assert_state(w.limited.close({1012, ""}, {1001, ""}, w.now), State::busy);
    (void)w.read_client(client_close(1012));
    w.backend.arriving.push_back(server_close(1001));
    assert_state(w.limited.readable(Side::backend, w.now), State::done);
    assert_bytes_equal(w.backend.got, client(0x81, "a") + client_close(1001));
}

void too_many_control_frames_close(void**) {
    Limited w({.close = Milliseconds(100)}, {.controls = {60, 3}});
    std::string pings;
    for (int n = 0; n < 10; ++n) { pings += client(0x89, "p"); }
    (void)w.read_client(client(0x81, "text") + pings);
    assert_bytes_equal(w.backend.got, client(0x81, "text") + pings.substr(0, 3 * client(0x89, "p").size()) +
                                          client_close(1001, "too many control frames"));
    assert_bytes_equal(w.client.got, server_close(1008, "too many control frames"));
}

void limits_hold_however_the_bytes_arrive(void**) {
    Limited w({.close = Milliseconds(100)}, {.messages = {60, 2}, .controls = {60, 1}});
    const std::string good = client(0x81, "1") + client(0x89, "") + client(0x82, std::string(70000, 'x'));
    for (const char byte : good + client(0x81, "3")) { (void)w.read_client(std::string(1, byte)); }
    assert_bytes_equal(w.backend.got, good + client_close(1001, "too many messages"));
}

// Keepalive

std::string ping_payload() {
    const std::string key(wire::key.begin(), wire::key.end());
    return key + key;
}

void a_client_that_is_not_read_is_not_taken_for_gone(void**) {
    Limited w({.close = Milliseconds(100),
               .ping = Milliseconds(100),
               .pong = Milliseconds(50),
               .client_send = Milliseconds(60'000),
               .backend_send = Milliseconds(60'000)},
              {});
    assert_state(w.later(100), State::open);
    assert_bytes_equal(w.client.got, server(0x89, ping_payload()));
    w.backend.room = 0;
    assert_state(w.read_client(client(0x81, "waits for the backend")), State::open);
    w.client.arriving.push_back(client(0x8a, ping_payload()) + client(0x81, "so does this"));
    for (int n = 0; n < 20; ++n) { assert_state(w.later(50), State::open); }
    w.backend.room = unlimited;
    assert_state(w.limited.writable(Side::backend, w.now), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "waits for the backend") + client(0x81, "so does this"));
    // From here on it counts again.
    w.client.got.clear();
    assert_state(w.later(100), State::open);
    assert_bytes_equal(w.client.got, server(0x89, ping_payload()));
    (void)w.later(50);
    assert_int_equal(w.limited.delivery().end().cause == End::Cause::client, 1);
}

void a_pong_in_two_pieces_around_a_close_of_the_gateway_hides_no_close_frame(void**) {
    const std::string pong = client(0x8a, ping_payload());
    for (std::size_t cut = 1; cut < pong.size(); ++cut) {
        Limited one({.close = Milliseconds(100), .ping = Milliseconds(100), .pong = Milliseconds(50)}, {});
        (void)one.later(100);
        (void)one.read_client(pong.substr(0, cut));
        (void)one.limited.close({4401, ""}, {close_code::going_away, ""}, one.now);
        assert_state(one.read_client(pong.substr(cut) + client_close(4401)), State::open);
        one.backend.arriving.push_back(server_close(1001));
        assert_state(one.limited.readable(Side::backend, one.now), State::done);
    }
}

// Envelope delivery, as far as the relay has its own ways with it

struct Enveloped : Wired {
    Relay enveloped;
    explicit Enveloped(bool compression, const Timeouts& timeouts)
        : enveloped(client, backend, make_delivery(compression, keys), timeouts, {}, *scratch) {
        (void)enveloped.start({}, {}, now);
    }
    static std::unique_ptr<Delivery> make_delivery(bool compression, MaskKeys& keys) {
        EnvelopeOptions options{.limits = {.max_message = 100, .max_fragments = 10}};
        if (compression) { options.deflate.emplace(); }
        return std::make_unique<EnvelopeDelivery>("id", ws::context::Recipe{}.build("{}", {}).context, OpenRequest{},
                                                  options, keys);
    }
    State later(int milliseconds) {
        now += Milliseconds(milliseconds);
        return enveloped.expired(now);
    }
    State read(Side side, std::string bytes) {
        (side == Side::client ? client : backend).arriving.push_back(std::move(bytes));
        return enveloped.readable(side, now);
    }
};

void a_quiet_connection_gives_memory_back_where_it_holds_some(void**) {
    for (const bool compression : {false, true}) {
        Enveloped w(compression, {.close = Milliseconds(100), .ping = Milliseconds(3000), .pong = Milliseconds(5000)});
        for (int seconds = 0; seconds < 60; ++seconds) {
            assert_state(w.later(1000), State::open);
            if (seconds % 3 == 2) { assert_state(w.read(Side::client, client(0x8a, "")), State::open); }
        }
    }
}

void a_client_that_closes_gets_what_the_backend_says_before_its_own_close(void**) {
    Enveloped w(false, {.close = Milliseconds(100)});
    assert_state(w.read(Side::client, client_close(4001)), State::open);
    assert_bytes_equal(w.client.got, "");
    assert_state(w.read(Side::backend, server(0x81, "last")), State::open);
    assert_bytes_equal(w.client.got, server(0x81, "last"));
    assert_state(w.read(Side::backend, server_close(4002)), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "last") + server_close(4001));
}

void a_client_that_closes_is_answered_after_half_of_the_close_timeout(void**) {
    Enveloped w(false, {.close = Milliseconds(100)});
    assert_state(w.read(Side::client, client_close(4001)), State::open);
    assert_int_equal(w.enveloped.deadline()->count(), w.now.count() + 50);
    assert_state(w.later(49), State::open);
    assert_bytes_equal(w.client.got, "");
    assert_state(w.later(1), State::open);
    assert_bytes_equal(w.client.got, server_close(4001));
    assert_int_equal(w.enveloped.deadline()->count(), w.now.count() + 50);
    assert_state(w.read(Side::backend, server(0x81, "late")), State::open);
    assert_state(w.later(50), State::done);
    assert_bytes_equal(w.client.got, server_close(4001));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_UNSTARTED(name) cmocka_unit_test_setup_teardown(name, setup_unstarted, teardown)

int main() {
    const CMUnitTest tests[] = {
        TEST_UNSTARTED(early_bytes_of_both_sides_are_passed_on_before_what_follows),
        TEST_UNSTARTED(a_backend_that_said_all_before_the_takeover_is_heard),
        TEST(a_busy_side_leaves_the_others_a_turn),
        TEST(nothing_is_read_that_could_not_be_passed_on),
        TEST(a_send_that_takes_one_byte_each_time_delivers_all),
        TEST(a_side_stuck_in_sending_is_read_although_it_does_not_read),
        cmocka_unit_test(a_side_is_read_until_more_than_max_pending_waits_for_the_other),
        TEST(a_close_of_the_client_and_its_answer_end_the_connection),
        TEST(a_close_frame_that_ends_all_leaves_with_the_end_of_the_stream),
        TEST(nothing_is_held_back_while_something_waits),
        TEST(what_follows_a_close_frame_goes_nowhere),
        TEST(an_unanswered_close_ends_after_the_close_timeout),
        TEST(the_gateway_closes_both_sides_and_drops_what_comes_before_the_answers),
        TEST(a_close_of_the_gateway_waits_for_the_end_of_a_frame),
        TEST(a_close_of_the_gateway_in_frames_that_never_end_cuts_after_the_close_timeout),
        TEST(an_idle_timeout_in_the_middle_of_two_frames_ends_after_the_close_timeout),
        TEST(a_backend_that_leaves_is_told_to_the_client),
        TEST(a_backend_that_leaves_in_a_frame_cuts_the_client),
        TEST(a_half_closed_client_gets_its_answers),
        TEST(a_half_closed_client_gets_its_answers_where_the_backend_can_not_be_half_closed),
        TEST(a_client_that_leaves_in_a_frame_cuts_the_backend),
        TEST(a_client_that_leaves_in_a_frame_ends_at_once_where_the_backend_can_not_be_half_closed),
        TEST(a_client_that_breaks_a_header_is_told_after_the_frame_of_a_backend_that_can_not_be_half_closed),
        TEST(a_client_whose_connection_is_broken_does_not_stop_the_backend_from_hearing_all),
        TEST(what_waits_for_a_slow_client_is_sent_before_the_end),
        TEST(the_idle_timeout_closes_both_sides),
        TEST(a_slow_reader_of_a_long_message_is_not_idle),
        TEST(a_reader_that_takes_nothing_is_closed_after_its_send_timeout),
        TEST(a_slow_reader_that_wakes_up_gets_what_waited_and_is_told),
        cmocka_unit_test(a_connection_is_closed_at_its_age_however_busy),
        cmocka_unit_test(too_many_messages_close_before_the_first_that_is_too_many),
        cmocka_unit_test(a_fragmented_message_is_one),
        cmocka_unit_test(a_delayed_client_is_not_read_until_its_time_has_come),
        cmocka_unit_test(a_delayed_client_is_read_at_the_end_of_the_connection),
        cmocka_unit_test(too_many_control_frames_close),
        cmocka_unit_test(limits_hold_however_the_bytes_arrive),
        cmocka_unit_test(a_client_that_is_not_read_is_not_taken_for_gone),
        cmocka_unit_test(a_pong_in_two_pieces_around_a_close_of_the_gateway_hides_no_close_frame),
        cmocka_unit_test(a_quiet_connection_gives_memory_back_where_it_holds_some),
        cmocka_unit_test(a_client_that_closes_gets_what_the_backend_says_before_its_own_close),
        cmocka_unit_test(a_client_that_closes_is_answered_after_half_of_the_close_timeout),
        cmocka_unit_test(a_step_that_runs_out_of_memory_leaves_nothing_for_another_connection),
    };
    return cmocka_run_group_tests_name("relay", tests, nullptr, nullptr);
}
