// HTTP delivery in a relay, with requests that the test answers.
#include "relay/http_delivery.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "context/recipe.h"
#include "relay/relay.h"
#include "websocket_wire.hpp"

#include "cmocka.hpp"  // last: it makes `fail` a macro

using namespace ws::relay;
using wire::client;
using wire::server;
using ws::test::assert_bytes_equal;
using State = Relay::State;

namespace {

class ScriptedClient final : public Peer {
public:
    std::deque<std::string> arriving;
    bool ended = false;
    bool stuck = false;
    std::string got;

    Result recv(std::span<char> into) noexcept override {
        if (arriving.empty()) { return {ended ? Status::end : Status::again, 0}; }
        const std::size_t n = arriving.front().copy(into.data(), into.size());
        arriving.front().erase(0, n);
        if (arriving.front().empty()) { arriving.pop_front(); }
        return {Status::ok, n};
    }
    Result send(std::string_view data) noexcept override {
        if (stuck) { return {Status::again, 0}; }
        got += data;
        return {Status::ok, data.size()};
    }
    bool finish_sending() noexcept override { return true; }
};

class NoBackend final : public Peer {
public:
    Result recv(std::span<char>) noexcept override { return {Status::again, 0}; }
    Result send(std::string_view data) noexcept override { return {Status::ok, data.size()}; }
    bool finish_sending() noexcept override { return true; }
};

class NotedRequests final : public Requests {
public:
    bool room = true;
    std::string log;  // "1=hello {context};"

    bool start(HttpEvent& event, std::shared_ptr<const ws::context::Context> context) override {
        if (!room) { return false; }
        log += std::to_string(event.sequence) + "=";
        if (event.kind == HttpEvent::Kind::close) {
            log += "close " + std::to_string(event.code) + " " + event.reason;
        } else {
            log += std::string(event.body.begin(), event.body.end()) + " " + std::string(context->json());
        }
        log += ";";
        return true;
    }
};

struct Wired {
    explicit Wired(HttpOptions options = {}) {
        options.limits = {.max_message = 1000, .max_fragments = 10};
        auto made = std::make_unique<HttpDelivery>(ws::context::Recipe{}.build("{}", {}).context, options, requests);
        delivery = made.get();
        relay = std::make_unique<Relay>(client, backend, std::move(made),
                                        Timeouts{.close = Milliseconds(100),
                                                 .ping = Milliseconds(300),
                                                 .pong = Milliseconds(50),
                                                 .client_send = Milliseconds(1000)},
                                        GateLimits{}, *scratch);
    }

    State start() { return relay->start({}, {}, now); }
    State from_client(std::string bytes) {
        client.arriving.push_back(std::move(bytes));
        return relay->readable(Side::client, now);
    }
    State answer(std::uint64_t sequence, HttpReply reply = {.status = 204}) {
        delivery->answered(HttpEvent::Kind::message, sequence, std::move(reply));
        return relay->resume(now);
    }
    State answer_close() {
        delivery->answered(HttpEvent::Kind::close, 0, {.status = 204});
        return relay->resume(now);
    }
    void requested(std::string_view wanted, std::source_location where = std::source_location::current()) {
        assert_bytes_equal(requests.log, wanted, where);
        requests.log.clear();
    }
    void client_got(std::string_view wanted, std::source_location where = std::source_location::current()) {
        assert_bytes_equal(client.got, wanted, where);
        client.got.clear();
    }

    ScriptedClient client;
    NoBackend backend;
    NotedRequests requests;
    std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
    HttpDelivery* delivery;
    std::unique_ptr<Relay> relay;
    Milliseconds now{50'000};
};

HttpReply text(std::string_view body) {
    return {.status = 200, .content_type = "text/plain", .body = std::string(body)};
}

std::string close_body(unsigned code, std::string_view reason = "") {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + std::string(reason);
}
std::string server_close(unsigned code, std::string_view reason = "") { return server(0x88, close_body(code, reason)); }
std::string client_close(unsigned code) { return client(0x88, close_body(code)); }

void messages_go_one_at_a_time_and_answers_come_in_order(void**) {
    Wired wired;
    assert_int_equal(wired.start(), State::open);
    wired.from_client(client(0x81, "a") + client(0x82, "b"));
    wired.requested("1=a {};");
    wired.answer(1, text("A"));
    wired.client_got(server(0x81, "A"));
    wired.requested("2=b {};");
    wired.answer(2, {.status = 200, .body = "B"});
    wired.client_got(server(0x82, "B"));
}

void the_queue_is_bounded_in_messages(void**) {
    HttpOptions options;
    options.max_waiting = 2;
    Wired wired(options);
    (void)wired.start();
    std::string burst;
    for (int n = 0; n < 10; ++n) { burst += client(0x81, std::to_string(n)); }
    wired.from_client(burst);
    assert_true(wired.delivery->messages(Side::client) <= 3);
    wired.client.arriving.push_back(client(0x81, "unread"));
    for (std::uint64_t n = 1; n <= 10; ++n) {
        wired.requested(std::to_string(n) + "=" + std::to_string(n - 1) + " {};");
        wired.answer(n);
        assert_true(wired.delivery->messages(Side::client) <= n + 3);
    }
    wired.requested("11=unread {};");
}

void the_queue_is_bounded_in_bytes(void**) {
    HttpOptions options;
    options.max_waiting_bytes = 1000;
    Wired wired(options);
    (void)wired.start();
    for (int n = 0; n < 5; ++n) { wired.from_client(client(0x82, std::string(600, 'x'))); }
    assert_int_equal(wired.delivery->messages(Side::client), 3);
}

void a_client_that_takes_nothing_gets_no_further_request_made(void**) {
    Wired wired;
    (void)wired.start();
    wired.from_client(client(0x81, "a") + client(0x81, "b"));
    wired.requested("1=a {};");
    wired.client.stuck = true;
    wired.answer(1, text("A"));
    wired.requested("");
    wired.client.stuck = false;
    (void)wired.relay->writable(Side::client, wired.now);
    wired.client_got(server(0x81, "A"));
    wired.requested("2=b {};");
}

void without_room_a_request_is_tried_again(void**) {
    Wired wired;
    (void)wired.start();
    wired.requests.room = false;
    wired.from_client(client(0x81, "a"));
    wired.requested("");
    wired.requests.room = true;
    (void)wired.relay->resume(wired.now);
    wired.requested("1=a {};");
}

void a_patch_holds_for_the_next_request(void**) {
    Wired wired;
    (void)wired.start();
    wired.from_client(client(0x81, "a") + client(0x81, "b"));
    wired.answer(1, {.status = 204, .context_update = R"({"x":1})"});
    wired.requested(R"(1=a {};2=b {"x":1};)");
}

void a_client_that_closes_is_answered_last(void**) {
    Wired wired;
    (void)wired.start();
    wired.from_client(client(0x81, "a") + client(0x81, "b") + client_close(4001));
    wired.client_got("");
    wired.answer(1, text("A"));
    wired.answer(2, text("B"));
    wired.client_got(server(0x81, "A") + server(0x81, "B") + server_close(4001));
    wired.requested("1=a {};2=b {};3=close 4001 ;");
    assert_int_equal(wired.answer_close(), State::done);
}

void half_of_the_time_to_close_is_for_what_was_accepted(void**) {
    Wired wired;
    (void)wired.start();
    wired.from_client(client(0x81, "a") + client(0x81, "b") + client_close(4001));
    wired.requested("1=a {};");
    wired.now += Milliseconds(50);
    assert_int_equal(wired.relay->expired(wired.now), State::open);
    wired.client_got(server_close(4001));
    wired.requested("3=close 4001 ;");
    assert_true(wired.relay->deadline() > wired.now);
    wired.answer(1, text("late"));
    wired.client_got("");
    wired.requested("");
    wired.now += Milliseconds(50);
    assert_int_equal(wired.relay->expired(wired.now), State::done);
}

void a_close_event_without_room_waits_without_spinning(void**) {
    Wired wired;
    (void)wired.start();
    wired.requests.room = false;
    wired.from_client(client_close(1000));
    wired.client_got(server_close(1000));
    wired.now += Milliseconds(50);
    assert_int_equal(wired.relay->expired(wired.now), State::open);
    assert_true(wired.relay->deadline() > wired.now);
    wired.now += Milliseconds(50);
    assert_int_equal(wired.relay->expired(wired.now), State::done);
}

void what_waits_when_the_session_ends_is_dropped(void**) {
    Wired wired;
    (void)wired.start();
    wired.from_client(client(0x81, "a") + client(0x81, "b"));
    wired.relay->revoke();
    (void)wired.relay->close({4401, "session ended"}, {}, wired.now);
    wired.client_got(server_close(4401, "session ended"));
    wired.answer(1, text("A"));
    wired.client_got("");
    wired.requested("1=a {};3=close 4401 session ended;");
}

void a_restart_waits_for_what_was_accepted(void**) {
    Wired wired;
    (void)wired.start();
    wired.from_client(client(0x81, "a"));
    (void)wired.relay->close({1012, "server restart"}, {}, wired.now);
    wired.from_client(client(0x81, "not accepted"));
    wired.client_got("");
    wired.answer(1, text("A"));
    wired.client_got(server(0x81, "A") + server_close(1012, "server restart"));
    wired.requested("1=a {};2=close 1012 server restart;");
}

void a_client_that_leaves_is_told_of(void**) {
    Wired wired;
    (void)wired.start();
    wired.from_client(client(0x81, "a"));
    wired.client.ended = true;
    (void)wired.relay->readable(Side::client, wired.now);
    wired.requested("1=a {};");
    wired.answer(1, text("A"));
    wired.requested("2=close 1006 ;");
    assert_int_equal(wired.answer_close(), State::done);
}

void what_others_in_the_worker_want_is_done(void**) {
    Wired wired;
    (void)wired.start();
    CommandResult result{};
    (void)wired.relay->command(ws::context::MessageCommand{ws::context::MessageType::text, "hi"}, result, wired.now);
    assert_int_equal(result, CommandResult::done);
    wired.client_got(server(0x81, "hi"));
    (void)wired.relay->command(ws::context::ContextCommand{R"({"y":2})"}, result, wired.now);
    assert_int_equal(result, CommandResult::done);
    assert_string_equal(std::string(wired.relay->delivery().context()->json()).c_str(), R"({"y":2})");
    wired.from_client(client(0x81, "a"));
    wired.requested(R"(1=a {"y":2};)");
    const std::string large = R"({"y":")" + std::string(70000, 'y') + R"("})";
    (void)wired.relay->command(ws::context::ContextCommand{large}, result, wired.now);
    assert_int_equal(result, CommandResult::too_large);
    (void)wired.relay->command(ws::context::InvalidCommand{"x"}, result, wired.now);
    assert_int_equal(result, CommandResult::impossible);
    // What was accepted is answered before the end.
    (void)wired.relay->command(ws::context::CloseCommand{4000, "bye"}, result, wired.now);
    assert_int_equal(result, CommandResult::done);
    wired.client_got("");
    (void)wired.relay->command(ws::context::MessageCommand{ws::context::MessageType::text, "late"}, result, wired.now);
    assert_int_equal(result, CommandResult::ending);
    wired.answer(1, text("A"));
    wired.client_got(server(0x81, "A") + server_close(4000, "bye"));
    wired.requested("2=close 4000 bye;");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_one_at_a_time_and_answers_come_in_order),
        cmocka_unit_test(the_queue_is_bounded_in_messages),
        cmocka_unit_test(the_queue_is_bounded_in_bytes),
        cmocka_unit_test(a_client_that_takes_nothing_gets_no_further_request_made),
        cmocka_unit_test(without_room_a_request_is_tried_again),
        cmocka_unit_test(a_patch_holds_for_the_next_request),
        cmocka_unit_test(a_client_that_closes_is_answered_last),
        cmocka_unit_test(half_of_the_time_to_close_is_for_what_was_accepted),
        cmocka_unit_test(a_close_event_without_room_waits_without_spinning),
        cmocka_unit_test(what_waits_when_the_session_ends_is_dropped),
        cmocka_unit_test(a_restart_waits_for_what_was_accepted),
        cmocka_unit_test(a_client_that_leaves_is_told_of),
        cmocka_unit_test(what_others_in_the_worker_want_is_done),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
