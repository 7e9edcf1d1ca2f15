// Counting, and both renderings of the sum.
#include "status/figures.h"

#include "cmocka.hpp"
#include "status/connection_meter.h"
#include "status/json.h"
#include "status/prometheus.h"

using namespace ws::status;

namespace {

bool has_line(const std::string& text, std::string_view line) {
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

void close_codes_have_few_labels(void**) {
    const auto label = [](std::uint16_t code) { return close_codes[close_code_index(code)]; };
    for (std::uint16_t code = 1000; code <= 1015; ++code) { assert_true(label(code) == std::to_string(code)); }
    assert_true(label(4401) == "4401");
    assert_true(label(4409) == "4409");
    assert_true(label(3000) == "3xxx" && label(3999) == "3xxx");
    assert_true(label(4000) == "4xxx" && label(4400) == "4xxx" && label(4999) == "4xxx");
    for (const int code : {0, 999, 1016, 2999, 5000, 65535}) {
        assert_true(label(static_cast<std::uint16_t>(code)) == "1006");
    }
}

void durations_fall_into_buckets_by_their_upper_bound(void**) {
    Counters counters;
    for (const std::uint64_t us : {0, 250, 251, 1000000, 1000001, 90000000}) { counters.add_auth_duration(us); }
    assert_int_equal(counters.auth_duration.buckets[0].value(), 2);
    assert_int_equal(counters.auth_duration.buckets[1].value(), 1);
    assert_int_equal(counters.auth_duration.buckets[11].value(), 1);
    assert_int_equal(counters.auth_duration.buckets[12].value(), 2);
    assert_int_equal(counters.auth_duration.sum_us.value(), 92000502);
}

void a_meter_counts_what_has_come_since(void**) {
    Counters counters;
    {
        ConnectionMeter meter(counters, Delivery::envelope);
        assert_int_equal(counters.open[1].value(), 1);
        assert_int_equal(counters.opened[1].value(), 1);
        meter.update({.messages_in = 2, .messages_out = 1, .bytes_in = 30, .bytes_out = 10});
        meter.update({.messages_in = 2, .messages_out = 4, .bytes_in = 31, .bytes_out = 10, .pings = 1});
        meter.close(4001, ClosedBy::backend);
        assert_int_equal(counters.open[1].value(), 0);
    }
    assert_int_equal(counters.messages[0].value(), 2);
    assert_int_equal(counters.messages[1].value(), 4);
    assert_int_equal(counters.bytes[0].value(), 31);
    assert_int_equal(counters.bytes[1].value(), 10);
    assert_int_equal(counters.pings.value(), 1);
    assert_int_equal(counters.closes[close_code_index(4001)][1].value(), 1);
}

void a_meter_without_a_close_was_ended_by_the_gateway(void**) {
    Counters counters;
    { const ConnectionMeter meter(counters, Delivery::http); }
    assert_int_equal(counters.open[2].value(), 0);
    assert_int_equal(counters.closes[close_code_index(1006)][2].value(), 1);
}

Totals example() {
    Counters counters;
    counters.open[0].add(3);
    counters.opened[0].add(5);
    counters.closes[close_code_index(1000)][0].add(2);
    counters.messages[0].add(7);
    counters.bytes[1].add(70);
    counters.add_http_request(HttpEvent::message, HttpResult::refused);
    counters.add_http_request(HttpEvent::close, HttpResult::cancelled);
    counters.http_in_flight.add(6);
    counters.add_auth(AuthResult::denied);
    counters.add_auth_duration(300);
    counters.add_auth_duration(2000000);
    counters.redis[0].state.set(static_cast<std::int64_t>(RedisState::down));
    counters.redis[0].reads.add(4);
    Totals totals;
    totals.workers = 2;
    totals.servers[0] = "unix:/a\"b\\c\nd";
    totals.add(counters);
    totals.add(counters);
    return totals;
}

void prometheus_text_has_what_was_counted(void**) {
    const std::string text = to_prometheus(example());
    for (const std::string_view line : {
             "# TYPE ws_connections gauge",
             "ws_connections{delivery=\"headers\"} 6",
             "# TYPE ws_connections_opened_total counter",
             "ws_connections_opened_total{delivery=\"headers\"} 10",
             "ws_close_total{code=\"1000\",by=\"client\"} 4",
             "ws_messages_total{direction=\"in\"} 14",
             "ws_transferred_bytes_total{direction=\"out\"} 140",
             "ws_http_requests_total{event=\"message\",result=\"refused\"} 2",
             "ws_http_requests_total{event=\"close\",result=\"cancelled\"} 2",
             "ws_http_requests_total{event=\"open\",result=\"answered\"} 0",
             "# TYPE ws_http_requests_in_flight gauge",
             "ws_http_requests_in_flight 12",
             "ws_auth_total{result=\"denied\"} 2",
             "# TYPE ws_auth_duration_seconds histogram",
             "ws_auth_duration_seconds_bucket{le=\"0.00025\"} 0",
             "ws_auth_duration_seconds_bucket{le=\"0.0005\"} 2",
             "ws_auth_duration_seconds_bucket{le=\"1.0\"} 2",
             "ws_auth_duration_seconds_bucket{le=\"+Inf\"} 4",
             "ws_auth_duration_seconds_sum 4.0006",
             "ws_auth_duration_seconds_count 4",
             "ws_redis_up{server=\"unix:/a\\\"b\\\\c\\nd\"} 0",
             "ws_redis_workers{server=\"unix:/a\\\"b\\\\c\\nd\",state=\"down\"} 2",
             "ws_redis_reads_total{server=\"unix:/a\\\"b\\\\c\\nd\"} 8",
             "ws_workers 2",
         }) {
        if (!has_line(text, line)) { print_error("not there: %s\n", line.data()); }
        assert_true(has_line(text, line));
    }
}

void json_has_what_was_counted(void**) {
    const std::string text = to_json(example(), 1767225600000);
    for (const std::string_view part : {
             "{\"version\":1,\"time_ms\":1767225600000,\"workers\":{\"running\":2,\"lost\":0},\"connections\":{"
             "\"open\":6,"
             "\"opened\":10,\"lost\":0,\"open_by_delivery\":{\"headers\":6,\"envelope\":0,\"http\":0,\"multiplex\":0},",
             "\"closes\":[{\"code\":\"1000\",\"by\":\"client\",\"count\":4}],\"messages\":{\"in\":14,\"out\":0},",
             "\"http\":{\"requests\":{\"open\":{\"answered\":0,\"refused\":0,\"failed\":0,\"cancelled\":0},\"message\":"
             "{"
             "\"answered\":0,\"refused\":2,\"failed\":0,\"cancelled\":0},\"close\":{\"answered\":0,\"refused\":0,"
             "\"failed\":0,"
             "\"cancelled\":2}},\"in_flight\":12}",
             "\"duration\":{\"count\":4,\"sum_us\":4000600,\"buckets\":[{\"up_to_us\":250,\"count\":0},",
             ",{\"count\":2}]}}",
             "\"redis\":[{\"server\":\"unix:/a\\\"b\\\\c\\nd\",\"workers_up\":0,\"workers_down\":2,",
         }) {
        if (text.find(part) == std::string::npos) { print_error("not there: %s\n%s\n", part.data(), text.c_str()); }
        assert_true(text.find(part) != std::string::npos);
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(close_codes_have_few_labels),
        cmocka_unit_test(durations_fall_into_buckets_by_their_upper_bound),
        cmocka_unit_test(a_meter_counts_what_has_come_since),
        cmocka_unit_test(a_meter_without_a_close_was_ended_by_the_gateway),
        cmocka_unit_test(prometheus_text_has_what_was_counted),
        cmocka_unit_test(json_has_what_was_counted),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
