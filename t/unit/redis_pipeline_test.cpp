#include "redis/pipeline.h"

#include "redis/reply.h"

#include "cmocka.hpp"

#include <functional>
#include <vector>

using namespace ws::redis;
using namespace std::string_view_literals;
using ws::test::assert_bytes_equal;
using Status = Outcome::Status;

namespace {

const std::string ping = "*1\r\n$4\r\nPING\r\n";
const std::string pong = "+PONG\r\n";

std::string shown(const Outcome& outcome) {
    switch (outcome.status) {
        case Status::unavailable: return "unavailable";
        case Status::timeout: return "timeout";
        case Status::reply: break;
    }
    const redisReply& reply = *outcome.reply;
    switch (reply.type) {
        case REDIS_REPLY_NIL: return "nil";
        case REDIS_REPLY_INTEGER: return std::to_string(reply.integer);
        case REDIS_REPLY_ARRAY: return "array of " + std::to_string(reply.elements);
        case REDIS_REPLY_ERROR: return "error " + std::string{error_text(reply)};
        default: return {reply.str, reply.len};
    }
}

// A pipeline and the answers its commands got, in order: "name=answer".
struct Conversation {
    Login login;
    Pipeline pipeline;
    std::vector<std::string> answers;
    std::uint64_t now = 0;

    explicit Conversation(Login as = {}, std::size_t max_reply = Pipeline::default_max_reply)
        : login(std::move(as)), pipeline(login, max_reply) {}

    std::string written() {
        std::string out{pipeline.output()};
        pipeline.consumed(out.size());
        return out;
    }

    std::unique_ptr<Pending> send(std::string name, std::function<void()> also = {}) {
        const std::string_view argv[] = {"GET", name};
        auto command = std::make_shared<Command>([this, name, also](const Outcome& outcome) {
            answers.push_back(name + '=' + shown(outcome));
            if (also) { also(); }
        });
        auto handle = std::make_unique<CommandHandle>(command);
        pipeline.push(argv, command, ++now);
        return handle;
    }

    // The server reads all that is there, then says this.
    bool hears(std::string_view bytes) {
        (void)written();
        return pipeline.feed(bytes);
    }

    bool log_in() { return hears(pong); }

    std::string all() const {
        std::string text;
        for (const std::string& answer : answers) { text += (text.empty() ? "" : ", ") + answer; }
        return text;
    }
};

void login_is_only_a_ping_without_credentials(void**) {
    Conversation talk;
    assert_bytes_equal(talk.written(), ping);
    assert_false(talk.pipeline.ready());
    assert_true(talk.hears(pong));
    assert_true(talk.pipeline.ready());
}

void login_authenticates_then_selects_then_pings(void**) {
    Conversation password{{"", "pass word", 0}};
    assert_bytes_equal(password.written(), "*2\r\n$4\r\nAUTH\r\n$9\r\npass word\r\n" + ping);

    Conversation all{{"ann", "secret", 12}};
    assert_bytes_equal(all.written(),
                       "*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$6\r\nsecret\r\n*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n" + ping);
    assert_true(all.hears("+OK\r\n+OK\r\n"));
    assert_false(all.pipeline.ready());
    assert_true(all.hears(pong));
    assert_true(all.pipeline.ready());
}

void commands_are_held_back_until_the_login_is_done(void**) {
    Conversation talk{{"", "p", 0}};
    const auto a = talk.send("a");
    assert_bytes_equal(talk.written(), "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n" + ping);
    assert_true(talk.hears("+OK\r\n"));
    assert_bytes_equal(talk.written(), "");
    assert_true(talk.hears(pong));
    assert_bytes_equal(talk.written(), "*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
    assert_true(talk.hears("$1\r\n1\r\n"));
    assert_bytes_equal(talk.all(), "a=1");
}

void a_refused_login_names_the_step_and_never_the_password(void**) {
    const struct {
        Login login;
        const char* reply;
        const char* error;
    } cases[] = {
        {{"", "secret", 3}, "-WRONGPASS invalid username-password pair\r\n", "AUTH refused: WRONGPASS"},
        {{"", "secret", 0}, "-ERR unknown command 'AUTH', with args beginning with: 'secret'\r\n", "AUTH refused: ERR"},
        {{"", "secret", 0}, "-secret\r\n", "AUTH refused: "},
        {{"", "secret", 3}, "+OK\r\n-ERR DB index is out of range\r\n", "SELECT refused: ERR DB index is out of range"},
        {{"", "", 3}, "-NOAUTH Authentication required.\r\n", "SELECT refused: NOAUTH Authentication required."},
        {{"", "", 0}, "-NOAUTH Authentication required.\r\n", "PING refused: NOAUTH Authentication required."},
        {{"", "", 0},
         "-LOADING Redis is loading the dataset in memory\r\n",
         "PING refused: LOADING Redis is loading the dataset in memory"},
        {{"", "", 0}, "-ERR a\x1b\xc3\xa4\r\n", "PING refused: ERR a???"},
    };
    for (const auto& one : cases) {
        Conversation talk{one.login};
        const auto a = talk.send("a");
        assert_false(talk.hears(one.reply));
        assert_bytes_equal(talk.pipeline.error(), one.error);
        assert_bytes_equal(talk.all(), "");
    }
}

void a_user_who_may_not_ping_is_logged_in(void**) {
    Conversation talk{{"ann", "secret", 0}};
    assert_true(talk.hears("+OK\r\n-NOPERM this user has no permissions to run the 'ping' command\r\n"));
    assert_true(talk.pipeline.ready());
    Conversation select{{"ann", "secret", 1}};
    assert_false(select.hears("+OK\r\n-NOPERM this user has no permissions to run the 'select' command\r\n"));
}

void a_restart_logs_in_anew_and_keeps_the_commands(void**) {
    Conversation talk{{"", "p", 0}};
    const auto a = talk.send("a");
    const std::string login = "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n" + ping;
    talk.pipeline.consumed(5);
    assert_true(talk.hears("+OK\r\n+PO"));
    talk.pipeline.restart();
    assert_bytes_equal(talk.written(), login);
    assert_true(talk.hears("+OK\r\n+PONG\r\n"));
    assert_bytes_equal(talk.written(), "*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
}

void a_reader_whose_tracking_fails_is_ready_and_says_so(void**) {
    const struct {
        const char* reply;
        bool refused;
        long long receiver;
    } cases[] = {
        {"+OK\r\n", false, 7},
        {"-ERR The client ID you want redirect to does not exist\r\n", false, 0},
        {"-BUSY Redis is busy running a script\r\n", false, 0},
        {"-NOPERM this user has no permissions to run the 'client|tracking' command\r\n", true, 0},
        {"-ERR unknown subcommand 'TRACKING'\r\n", true, 0},
        {"-unsupported command\r\n", true, 0},
    };
    for (const auto& each : cases) {
        Conversation talk;
        talk.pipeline.track(7);
        assert_bytes_equal(talk.written(),
                           "*5\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n$8\r\nREDIRECT\r\n$1\r\n7\r\n" + ping);
        assert_true(talk.hears(each.reply + pong));
        assert_true(talk.pipeline.ready());
        assert_int_equal(talk.pipeline.tracking_refused(), each.refused);
        assert_int_equal(talk.pipeline.receiver(), each.receiver);
    }
}

void a_receiver_without_reports_is_of_no_use_for_now_or_for_good(void**) {
    struct Deaf final : Invalidations {
        void invalidated(std::string_view) override {}
        void missed() override {}
        void tracked(bool) override {}
    };
    const struct {
        const char* replies;
        const char* error;
        bool refused;
    } cases[] = {
        {"-ERR max number of clients reached\r\n", "CLIENT ID refused: ERR max number of clients reached", false},
        {"-BUSY Redis is busy\r\n", "CLIENT ID refused: BUSY Redis is busy", false},
        {"-ERR unknown command\r\n", "CLIENT ID refused: ERR unknown command", true},
        {":7\r\n-LOADING later\r\n", "SUBSCRIBE refused: LOADING later", false},
        {":7\r\n-NOPERM no\r\n", "SUBSCRIBE refused: NOPERM no", true},
    };
    for (const auto& each : cases) {
        Deaf listener;
        const Login login;
        Pipeline pipeline{login, listener};
        pipeline.consumed(pipeline.output().size());
        assert_false(pipeline.feed(each.replies));
        assert_bytes_equal(pipeline.error(), each.error);
        assert_int_equal(pipeline.tracking_refused(), each.refused);
    }
}

void output_can_be_written_in_pieces(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    std::vector<std::unique_ptr<Pending>> handles;
    handles.push_back(talk.send("a"));
    std::string wire{talk.pipeline.output().substr(0, 3)};
    talk.pipeline.consumed(3);
    handles.push_back(talk.send("b"));
    while (!talk.pipeline.output().empty()) {
        wire += talk.pipeline.output().front();
        talk.pipeline.consumed(1);
    }
    assert_bytes_equal(wire, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
}

void arguments_are_binary_safe(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    const std::string_view argv[] = {"SET", "a\0\r\n$1"sv, ""};
    talk.pipeline.push(argv, std::make_shared<Command>([](const Outcome&) {}), 0);
    assert_bytes_equal(talk.written(), "*3\r\n$3\r\nSET\r\n$6\r\na\0\r\n$1\r\n$0\r\n\r\n"sv);
}

void answers_come_in_the_order_of_the_commands_byte_by_byte(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    std::vector<std::unique_ptr<Pending>> handles;
    for (const char* name : {"a", "b", "c", "d", "e", "f"}) { handles.push_back(talk.send(name)); }
    for (const char byte :
         std::string{"$3\r\nx\r\n\r\n$-1\r\n:-7\r\n-WRONGTYPE no\r\n*2\r\n*1\r\n$1\r\na\r\n:1\r\n$0\r\n\r\n"}) {
        assert_true(talk.hears({&byte, 1}));
    }
    assert_bytes_equal(talk.all(), "a=x\r\n, b=nil, c=-7, d=error WRONGTYPE no, e=array of 2, f=");
    assert_int_equal(talk.pipeline.load(), 0);
}

void a_cancelled_command_keeps_its_place(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    const auto a = talk.send("a");
    auto b = talk.send("b");
    const auto c = talk.send("c");
    b.reset();
    assert_int_equal(talk.pipeline.load(), 3);
    assert_true(talk.hears(":1\r\n:2\r\n:3\r\n"));
    assert_bytes_equal(talk.all(), "a=1, c=3");
}

void a_callback_may_drop_handles_and_send_more(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    std::unique_ptr<Pending> a;
    std::unique_ptr<Pending> b;
    std::unique_ptr<Pending> more;
    a = talk.send("a", [&] {
        a.reset();
        b.reset();
        more = talk.send("more");
    });
    b = talk.send("b");
    assert_true(talk.hears(":1\r\n:2\r\n"));
    assert_true(talk.hears(":3\r\n"));
    assert_bytes_equal(talk.all(), "a=1, more=3");
}

void the_oldest_command_is_the_one_to_be_answered_next(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    const auto a = talk.send("a");
    const auto b = talk.send("b");
    assert_int_equal(talk.pipeline.oldest(), 1);
    assert_true(talk.hears(":1\r\n"));
    assert_int_equal(talk.pipeline.oldest(), 2);
}

void failing_answers_all_that_are_left(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    const auto a = talk.send("a");
    const auto b = talk.send("b");
    auto c = talk.send("c");
    const auto d = talk.send("d", [&] { c.reset(); });
    assert_true(talk.hears(":1\r\n"));
    talk.pipeline.fail_all(Status::timeout);
    assert_bytes_equal(talk.all(), "a=1, b=timeout, c=timeout, d=timeout");
    assert_int_equal(talk.pipeline.load(), 0);

    Conversation cut;
    std::unique_ptr<Pending> second;
    const auto first = cut.send("first", [&] { second.reset(); });
    second = cut.send("second");
    cut.pipeline.fail_all(Status::unavailable);
    assert_bytes_equal(cut.all(), "first=unavailable");
}

void failing_without_memory_answers_the_others_first(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    const auto a = talk.send("a", [] { throw std::bad_alloc(); });
    const auto b = talk.send("b");
    bool thrown = false;
    try {
        talk.pipeline.fail_all(Status::timeout);
    } catch (const std::bad_alloc&) { thrown = true; }
    assert_true(thrown);
    assert_bytes_equal(talk.all(), "a=timeout, b=timeout");
    assert_int_equal(talk.pipeline.load(), 0);
}

void a_reply_nobody_asked_for_is_an_error(void**) {
    Conversation talk;
    assert_true(talk.log_in());
    const auto a = talk.send("a");
    assert_false(talk.hears(":1\r\n:2\r\n"));
    assert_bytes_equal(talk.all(), "a=1");
    assert_bytes_equal(talk.pipeline.error(), "a reply that nobody asked for");
}

void a_reply_before_its_command_was_written_is_an_error(void**) {
    Conversation early;
    assert_true(early.log_in());
    const auto a = early.send("a");
    early.pipeline.consumed(early.pipeline.output().size() - 1);
    assert_false(early.pipeline.feed(":1\r\n"));
    assert_bytes_equal(early.all(), "");

    Conversation held;
    const auto b = held.send("b");
    assert_false(held.hears("+PONG\r\n:1\r\n"));
    assert_bytes_equal(held.all(), "");

    Conversation login{{"", "p", 0}};
    login.pipeline.consumed(5);
    assert_false(login.pipeline.feed("+OK\r\n+PONG\r\n"));
    assert_false(login.pipeline.ready());
}

void a_reply_too_large_is_skipped_and_the_others_are_answered(void**) {
    std::string nested = "*2\r\n$3\r\nabc\r\n$400\r\n" + std::string(400, 'x') + "\r\n";
    std::string many = "*100\r\n";
    for (int i = 0; i < 100; ++i) { many += ":1\r\n"; }
    for (const std::string& large : {"$5000\r\n" + std::string(5000, ':') + "\r\n", nested, many}) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, large.size() + 100}) {
            Conversation talk{{}, 500};
            assert_true(talk.log_in());
            const auto a = talk.send("a");
            const auto b = talk.send("b");
            const auto c = talk.send("c");
            const std::string wire = ":1\r\n" + large + "$2\r\nok\r\n";
            for (std::size_t at = 0; at < wire.size(); at += piece) {
                assert_true(talk.hears(std::string_view{wire}.substr(at, piece)));
            }
            assert_bytes_equal(talk.all(), "a=1, b=error TOOLARGE the reply exceeds the limit, c=ok");
        }
    }
    Conversation fits{{}, 500};
    assert_true(fits.log_in());
    const auto a = fits.send("a");
    assert_true(fits.hears("$490\r\n" + std::string(490, 'x') + "\r\n"));
    assert_bytes_equal(fits.all(), "a=" + std::string(490, 'x'));
}

void a_login_reply_too_large_is_a_refusal(void**) {
    Conversation talk{{}, 500};
    assert_false(talk.hears("$5000\r\n" + std::string(5000, 'x') + "\r\n"));
    assert_bytes_equal(talk.pipeline.error(), "PING refused: TOOLARGE the reply exceeds the limit");
}

void garbage_is_an_error(void**) {
    std::string deep;
    for (int i = 0; i < 20; ++i) { deep += "*1\r\n"; }
    for (const std::string garbage : {"HTTP/1.1 400 Bad Request\r\n", ":12x\r\n", "$-2\r\n", "\r\n", "$01\r\nx\r\n",
                                      "%1\r\n+a\r\n+b\r\n", deep.c_str()}) {
        Conversation talk;
        assert_true(talk.log_in());
        const auto a = talk.send("a");
        assert_false(talk.hears(garbage));
        assert_bytes_equal(talk.all(), "");
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(login_is_only_a_ping_without_credentials),
        cmocka_unit_test(login_authenticates_then_selects_then_pings),
        cmocka_unit_test(commands_are_held_back_until_the_login_is_done),
        cmocka_unit_test(a_refused_login_names_the_step_and_never_the_password),
        cmocka_unit_test(a_user_who_may_not_ping_is_logged_in),
        cmocka_unit_test(a_restart_logs_in_anew_and_keeps_the_commands),
        cmocka_unit_test(a_reader_whose_tracking_fails_is_ready_and_says_so),
        cmocka_unit_test(a_receiver_without_reports_is_of_no_use_for_now_or_for_good),
        cmocka_unit_test(output_can_be_written_in_pieces),
        cmocka_unit_test(arguments_are_binary_safe),
        cmocka_unit_test(answers_come_in_the_order_of_the_commands_byte_by_byte),
        cmocka_unit_test(a_cancelled_command_keeps_its_place),
        cmocka_unit_test(a_callback_may_drop_handles_and_send_more),
        cmocka_unit_test(the_oldest_command_is_the_one_to_be_answered_next),
        cmocka_unit_test(failing_answers_all_that_are_left),
        cmocka_unit_test(failing_without_memory_answers_the_others_first),
        cmocka_unit_test(a_reply_nobody_asked_for_is_an_error),
        cmocka_unit_test(a_reply_before_its_command_was_written_is_an_error),
        cmocka_unit_test(a_reply_too_large_is_skipped_and_the_others_are_answered),
        cmocka_unit_test(a_login_reply_too_large_is_a_refusal),
        cmocka_unit_test(garbage_is_an_error),
    };
    return cmocka_run_group_tests_name("redis pipeline", tests, nullptr, nullptr);
}
