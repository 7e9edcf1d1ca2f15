#include "control/bus_message.h"

#include "cmocka.hpp"

using namespace ws::control;
using ws::context::CloseCommand;
using ws::context::ContextCommand;
using ws::context::MessageCommand;
using ws::context::MessageType;
using ws::test::assert_bytes_equal;

namespace {

const std::string id = "0123456789abcdef0123456789abcdef";

// What another worker understands, if anything.
std::optional<Question> passed_on(Request request) {
    return parse_question(encode(Question{"7", "{ws}:reply:x", std::move(request)}));
}

template <class T>
T reread(Request request) {
    const auto question = passed_on(std::move(request));
    assert_true(question.has_value());
    assert_bytes_equal(question->number, "7");
    assert_bytes_equal(question->reply_to, "{ws}:reply:x");
    assert_true(std::holds_alternative<T>(question->request));
    return std::get<T>(question->request);
}

void a_list_comes_as_it_was(void**) {
    const Selection selection{id + id, {{"user.id", "42"}, {"a\"\\\n\xc3\xa9", ""}}};
    const List list = reread<List>(List{selection, id, 1000});
    assert_true(list.selection == selection);
    assert_bytes_equal(list.after, id);
    assert_int_equal(list.limit, 1000);
    assert_true(reread<List>(List{}).selection.empty());
}

void a_command_comes_as_it_was(void**) {
    assert_bytes_equal(reread<Look>(Look{id}).id, id);
    const std::string bytes("\0\xff\n{", 4);
    const auto binary =
        std::get<MessageCommand>(reread<Act>(Act{id, MessageCommand{MessageType::binary, bytes}}).command);
    assert_true(binary.type == MessageType::binary);
    assert_bytes_equal(binary.data, bytes);
    const auto text =
        std::get<MessageCommand>(reread<Act>(Act{id, MessageCommand{MessageType::text, "gr\xc3\xbc\xc3\x9f"}}).command);
    assert_true(text.type == MessageType::text);
    assert_bytes_equal(text.data, "gr\xc3\xbc\xc3\x9f");
    const auto patch = std::get<ContextCommand>(reread<Act>(Act{id, ContextCommand{"{\"a\":null}"}}).command);
    assert_bytes_equal(patch.merge_patch, "{\"a\":null}");
    const auto close = std::get<CloseCommand>(reread<Act>(Act{id, CloseCommand{4000, "b\"ye"}}).command);
    assert_int_equal(close.code, 4000);
    assert_bytes_equal(close.reason, "b\"ye");
    const auto all = reread<CloseAll>(CloseAll{{{}, {{"a", "b"}}}, {1001, ""}});
    assert_int_equal(all.close.code, 1001);
    assert_true(all.selection == (Selection{{}, {{"a", "b"}}}));
}

void what_no_asker_may_ask_is_refused(void**) {
    assert_false(passed_on(Look{"x"}).has_value());
    assert_false(passed_on(List{{}, {}, 0}).has_value());
    assert_false(passed_on(List{{}, {}, max_limit + 1}).has_value());
    assert_false(passed_on(List{{id, {}}, {}, 1}).has_value());
    assert_false(passed_on(List{{{}, std::vector<Filter>(max_filters + 1)}, {}, 1}).has_value());
    assert_false(passed_on(CloseAll{{}, {1000, ""}}).has_value());
    assert_false(passed_on(CloseAll{{id + id, {}}, {1005, ""}}).has_value());
    assert_false(passed_on(Act{id, CloseCommand{1000, std::string(124, 'x')}}).has_value());
    assert_false(passed_on(Act{id, CloseCommand{999, ""}}).has_value());
    assert_false(passed_on(Act{id, MessageCommand{MessageType::text, "\xff"}}).has_value());
    assert_false(passed_on(Act{id, ContextCommand{"[]"}}).has_value());
    assert_false(passed_on(Act{id, ContextCommand{""}}).has_value());
}

void a_reply_comes_as_it_was(void**) {
    Answer answer;
    answer.status = 410;
    answer.detail = "it is \"gone\"";
    answer.more = true;
    answer.closed = 17;
    answer.connections = {"{\"id\":\"" + id + "\",\"context\":{}}"};
    const auto reply = parse_reply(encode(Reply{"9", answer}));
    assert_true(reply.has_value());
    assert_bytes_equal(reply->number, "9");
    assert_int_equal(reply->answer.status, 410);
    assert_bytes_equal(reply->answer.detail, answer.detail);
    assert_true(reply->answer.more);
    assert_int_equal(reply->answer.closed, 17);
    assert_true(reply->answer.connections == answer.connections);
}

void a_reply_that_is_none_is_refused(void**) {
    const std::string head = "{\"v\":1,\"answer\":\"9\",\"status\":200,\"closed\":0}\n";
    assert_true(parse_reply(head).has_value());
    for (const std::string& wrong : {
             std::string(),
             std::string("\n"),
             std::string("{}\n"),
             head.substr(0, head.size() - 1),
             head + "x",
             head + "x\n",
             head + "{\"id\":\"x\"}\n",
             head + "{\"id\":\"" + id + "\",}\n",
             head + "{\"id\":\"" + id + "\"}",
             std::string("{\"v\":2,\"answer\":\"9\",\"status\":200,\"closed\":0}\n"),
             std::string("{\"v\":1,\"answer\":9,\"status\":200,\"closed\":0}\n"),
             std::string("{\"v\":1,\"answer\":\"9\",\"status\":1,\"closed\":0}\n"),
             std::string("{\"v\":1,\"answer\":\"9\",\"status\":600,\"closed\":0}\n"),
             std::string("{\"v\":1,\"answer\":\"9\",\"status\":200,\"closed\":-1}\n"),
             std::string("{\"v\":1,\"answer\":\"9\",\"status\":200,\"closed\":0,\"more\":1}\n"),
         }) {
        assert_false(parse_reply(wrong).has_value());
    }
}

void a_head_has_a_limit(void**) {
    assert_false(passed_on(List{{{}, {{std::string(max_head, 'x'), ""}}}, {}, 1}).has_value());
    assert_false(parse_question(std::string(1 << 20, '[')).has_value());
    assert_false(parse_question(std::string(1000, '[') + "\n").has_value());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_list_comes_as_it_was),           cmocka_unit_test(a_command_comes_as_it_was),
        cmocka_unit_test(what_no_asker_may_ask_is_refused), cmocka_unit_test(a_reply_comes_as_it_was),
        cmocka_unit_test(a_reply_that_is_none_is_refused),  cmocka_unit_test(a_head_has_a_limit),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
