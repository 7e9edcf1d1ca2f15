#include "context/envelope.h"
#include "context/json.h"
#include "context/json_value.h"
#include "context/recipe.h"

#include "cmocka.hpp"

using namespace ws::context;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view connection = "c7f3";

std::shared_ptr<const Context> context() {
    BuildResult result = Recipe{}.build(R"({"userId":7,"name":"Zoë"})", {});
    assert_non_null(result.context.get());
    return result.context;
}

std::string message(MessageType type, std::string_view payload, const Context* context = nullptr,
                    std::uint64_t seq = 7) {
    std::string out;
    EnvelopeWriter(connection).message(out, context, seq, type, payload);
    return out;
}

JsonPtr parsed(std::string_view envelope) {
    return JsonPtr(json_loadb(envelope.data(), envelope.size(), JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, nullptr));
}

void assert_string_member(json_t* object, const char* name, std::string_view wanted) {
    json_t* const value = json_object_get(object, name);
    assert_true(json_is_string(value));
    ws::test::assert_bytes_equal({json_string_value(value), json_string_length(value)}, wanted);
}

void open_carries_context_and_request(void**) {
    std::string out = "before";
    EnvelopeWriter(connection).open(out, *context(), {"/chat?room=1", "example.org", "127.0.0.1", "chat.v1"});
    ws::test::assert_bytes_equal(
        out,
        R"(before{"event":"open","connection":"c7f3","context":{"userId":7,"name":"Zo\u00eb"},"request":{"uri":"/chat?room=1",)"
        R"("host":"example.org","remote_addr":"127.0.0.1","protocol":"chat.v1"}})");
}

void open_without_subprotocol_has_no_protocol(void**) {
    std::string out;
    EnvelopeWriter(connection).open(out, *context(), {"/", "", "::1", ""});
    ws::test::assert_bytes_equal(out, R"({"event":"open","connection":"c7f3","context":{"userId":7,"name":"Zo\u00eb"},)"
                                      R"("request":{"uri":"/","host":"","remote_addr":"::1"}})");
}

void messages_of_each_type_are_wrapped(void**) {
    const auto shared = context();
    ws::test::assert_bytes_equal(
        message(MessageType::text, "hello", shared.get()),
        R"({"event":"message","connection":"c7f3","seq":7,"context":{"userId":7,"name":"Zo\u00eb"},"type":"text","data":"hello"})");
    ws::test::assert_bytes_equal(message(MessageType::text, ""),
                                 R"({"event":"message","connection":"c7f3","seq":7,"type":"text","data":""})");
    ws::test::assert_bytes_equal(
        message(MessageType::binary, "hello"),
        R"({"event":"message","connection":"c7f3","seq":7,"type":"binary","data":"aGVsbG8="})");
    ws::test::assert_bytes_equal(message(MessageType::binary, ""),
                                 R"({"event":"message","connection":"c7f3","seq":7,"type":"binary","data":""})");
    ws::test::assert_bytes_equal(
        message(MessageType::json, R"({"say": "hello"})"),
        R"({"event":"message","connection":"c7f3","seq":7,"type":"json","data":{"say": "hello"}})");
}

void the_largest_sequence_number_is_written_whole(void**) {
    ws::test::assert_bytes_equal(
        message(MessageType::text, "", nullptr, UINT64_MAX),
        R"({"event":"message","connection":"c7f3","seq":18446744073709551615,"type":"text","data":""})");
}

void context_and_close_are_written(void**) {
    std::string out;
    EnvelopeWriter(connection).context(out, *context());
    ws::test::assert_bytes_equal(out,
                                 R"({"event":"context","connection":"c7f3","context":{"userId":7,"name":"Zo\u00eb"}})");
    out.clear();
    EnvelopeWriter(connection).close(out, 1001, "going \"away\"");
    ws::test::assert_bytes_equal(out, R"({"event":"close","connection":"c7f3","code":1001,"reason":"going \"away\""})");
}

void a_traceparent_stands_in_each_envelope(void**) {
    constexpr std::string_view traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const EnvelopeWriter writer(connection, traceparent);
    const auto shared = context();
    std::string out;
    writer.close(out, 1000, "");
    ws::test::assert_bytes_equal(out, R"({"event":"close","connection":"c7f3",)"
                                      R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",)"
                                      R"("code":1000,"reason":""})");
    const auto assert_has_it = [traceparent](const std::string& envelope, std::size_t members) {
        const JsonPtr object = parsed(envelope);
        assert_non_null(object.get());
        assert_int_equal(json_object_size(object.get()), members);
        assert_string_member(object.get(), "traceparent", traceparent);
    };
    out.clear();
    writer.open(out, *shared, {"/", "h", "::1", ""});
    assert_has_it(out, 5);
    out.clear();
    writer.message(out, nullptr, 1, MessageType::text, "x");
    assert_has_it(out, 6);
    out.clear();
    writer.context(out, *shared);
    assert_has_it(out, 4);
}

void a_traceparent_of_the_open_envelope_stands_in_no_other(void**) {
    const EnvelopeWriter writer(connection);
    std::string out;
    writer.open(out, *context(), {"/", "h", "::1", "", "00-1-2-00"});
    ws::test::assert_bytes_equal(out, R"({"event":"open","connection":"c7f3","traceparent":"00-1-2-00",)"
                                      R"("context":{"userId":7,"name":"Zo\u00eb"},)"
                                      R"("request":{"uri":"/","host":"h","remote_addr":"::1"}})");
    out.clear();
    writer.close(out, 1000, "");
    ws::test::assert_bytes_equal(out, R"({"event":"close","connection":"c7f3","code":1000,"reason":""})");
}

void hostile_text_stays_data(void**) {
    std::string every_byte;
    for (int byte = 0; byte < 0x80; ++byte) every_byte += static_cast<char>(byte);
    for (const std::string_view payload :
         {R"("},"context":{"admin":true},"x":")"sv, "\\"sv, "\\\""sv, "\\u0022"sv, "\n\r\0\x1f\x7f"sv,
          "\xe2\x80\xa8\xf0\x9f\x98\x80"sv, std::string_view(every_byte)}) {
        const auto shared = context();
        const JsonPtr object = parsed(message(MessageType::text, payload, shared.get()));
        assert_non_null(object.get());
        assert_int_equal(json_object_size(object.get()), 6);
        assert_string_member(object.get(), "data", payload);
    }
}

void hostile_request_data_and_reasons_stay_data(void**) {
    constexpr auto hostile = "a\"\\\0\r\n\xff\xc3\xa9"sv;
    constexpr auto wanted = "a\"\\\0\r\n\xef\xbf\xbd\xc3\xa9"sv;
    std::string out;
    EnvelopeWriter(hostile).open(out, *context(), {hostile, hostile, hostile, hostile});
    const JsonPtr object = parsed(out);
    assert_non_null(object.get());
    assert_string_member(object.get(), "connection", wanted);
    json_t* const request = json_object_get(object.get(), "request");
    assert_int_equal(json_object_size(request), 4);
    for (const char* const name : {"uri", "host", "remote_addr", "protocol"})
        assert_string_member(request, name, wanted);
    out.clear();
    EnvelopeWriter(connection).close(out, 4000, hostile);
    assert_string_member(parsed(out).get(), "reason", wanted);
}

void json_messages_of_any_shape_leave_a_whole_envelope(void**) {
    for (const std::string_view payload : {"null", " [1, 2]\n", "\"}\"", "{\"data\":{}}", "-0.5e3"}) {
        assert_true(is_json_value(payload));
        const JsonPtr object = parsed(message(MessageType::json, payload));
        const JsonPtr wanted(json_loadb(payload.data(), payload.size(), JSON_DECODE_ANY, nullptr));
        assert_true(json_equal(json_object_get(object.get(), "data"), wanted.get()));
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(open_carries_context_and_request),
        cmocka_unit_test(open_without_subprotocol_has_no_protocol),
        cmocka_unit_test(messages_of_each_type_are_wrapped),
        cmocka_unit_test(the_largest_sequence_number_is_written_whole),
        cmocka_unit_test(context_and_close_are_written),
        cmocka_unit_test(a_traceparent_stands_in_each_envelope),
        cmocka_unit_test(a_traceparent_of_the_open_envelope_stands_in_no_other),
        cmocka_unit_test(hostile_text_stays_data),
        cmocka_unit_test(hostile_request_data_and_reasons_stay_data),
        cmocka_unit_test(json_messages_of_any_shape_leave_a_whole_envelope),
    };
    return cmocka_run_group_tests_name("envelopes", tests, nullptr, nullptr);
}
