#include "control/gathering.h"

#include "cmocka.hpp"

#include <utility>

using namespace ws::control;
using ws::test::assert_bytes_equal;

namespace {

std::string id(char digit) { return std::string(32, digit); }

std::string connection(char digit) { return "{\"id\":\"" + id(digit) + "\"}"; }

Answer page(std::string_view digits, bool more = false) {
    Answer answer;
    for (const char digit : digits) { answer.connections.push_back(connection(digit)); }
    answer.more = more;
    return answer;
}

Answer with_status(int status) {
    Answer answer;
    answer.status = status;
    return answer;
}

std::string digits(const Answer& answer) {
    std::string all;
    for (const std::string& one : answer.connections) { all += described_id(one).at(0); }
    return all;
}

void who_has_the_connection_answers_for_all(void**) {
    Gathering gathering(Look{id('a')});
    gathering.add(with_status(404));
    gathering.expect(5);
    assert_false(gathering.complete());
    gathering.add(page("a"));
    assert_true(gathering.complete());
    gathering.add(with_status(404));
    const Answer answer = std::move(gathering).result();
    assert_int_equal(answer.status, 200);
    assert_bytes_equal(digits(answer), "a");
}

void nobody_has_it(void**) {
    Gathering gathering(Look{id('a')});
    gathering.expect(2);
    gathering.add(with_status(404));
    gathering.add(with_status(404));
    assert_true(gathering.complete());
    assert_int_equal(std::move(gathering).result().status, 404);
}

void somebody_had_it(void**) {
    Gathering gathering(Look{id('a')});
    gathering.expect(3);
    gathering.add(with_status(410));
    assert_false(gathering.complete());
    gathering.add(with_status(404));
    gathering.add(with_status(404));
    assert_int_equal(std::move(gathering).result().status, 410);
}

void a_worker_is_missing(void**) {
    Gathering gathering(List{});
    gathering.add(page("ab"));
    gathering.expect(2);
    const Answer answer = std::move(gathering).result();
    assert_int_equal(answer.status, 504);
    assert_bytes_equal(answer.detail, "1 of 2 workers have answered in time");
    assert_bytes_equal(digits(answer), "");
}

void it_is_not_known_how_many_answer(void**) {
    Gathering gathering(List{});
    gathering.add(page("ab"));
    assert_false(gathering.complete());
    assert_int_equal(std::move(gathering).result().status, 504);
}

void while_there_may_be_others_nothing_is_nowhere(void**) {
    Gathering nobody(Look{id('a')});
    nobody.doubt();
    nobody.expect(1);
    nobody.add(with_status(404));
    assert_true(nobody.complete());
    assert_int_equal(std::move(nobody).result().status, 504);

    Gathering all(List{});
    all.doubt();
    all.expect(1);
    all.add(page("ab"));
    const Answer answer = std::move(all).result();
    assert_int_equal(answer.status, 504);
    assert_bytes_equal(digits(answer), "");

    Gathering closed(CloseAll{{id('a'), {}}, {}});
    closed.doubt();
    closed.expect(1);
    Answer three;
    three.closed = 3;
    closed.add(std::move(three));
    const Answer told = std::move(closed).result();
    assert_int_equal(told.status, 504);
    assert_int_equal(told.closed, 3);
}

void what_somebody_has_or_had_is_told_all_the_same(void**) {
    for (const int status : {200, 202, 409, 410}) {
        Gathering gathering(Look{id('a')});
        gathering.doubt();
        gathering.expect(2);
        gathering.add(with_status(404));
        gathering.add(with_status(status));
        assert_true(gathering.complete());
        assert_int_equal(std::move(gathering).result().status, status);
    }
}

void pages_become_one_in_order(void**) {
    Gathering gathering(List{});
    gathering.expect(2);
    gathering.add(page("bd"));
    gathering.add(page("ac"));
    const Answer answer = std::move(gathering).result();
    assert_bytes_equal(digits(answer), "abcd");
    assert_false(answer.more);
}

void a_page_has_the_length_that_was_asked_for(void**) {
    Gathering gathering(List{{}, {}, 3});
    gathering.expect(2);
    gathering.add(page("bd"));
    gathering.add(page("ac"));
    const Answer answer = std::move(gathering).result();
    assert_bytes_equal(digits(answer), "abc");
    assert_true(answer.more);
}

// Who had to stop at c may have a d, which belongs before the e of another.
void a_page_ends_where_somebody_had_to_stop(void**) {
    Gathering gathering(List{{}, {}, 100});
    gathering.expect(2);
    gathering.add(page("be"));
    gathering.add(page("ac", true));
    const Answer answer = std::move(gathering).result();
    assert_bytes_equal(digits(answer), "abc");
    assert_true(answer.more);
}

void who_is_reached_twice_counts_once(void**) {
    Gathering gathering(List{});
    gathering.expect(2);
    gathering.add(page("ab"));
    gathering.add(page("ab"));
    const Answer answer = std::move(gathering).result();
    assert_bytes_equal(digits(answer), "ab");
    assert_false(answer.more);
}

void what_was_closed_is_added_up(void**) {
    Gathering gathering(CloseAll{{id('a'), {}}, {}});
    gathering.expect(2);
    for (const std::size_t n : {3, 4}) {
        Answer answer;
        answer.closed = n;
        gathering.add(std::move(answer));
    }
    assert_int_equal(std::move(gathering).result().closed, 7);
}

void a_worker_that_could_not_answer_is_told(void**) {
    Gathering gathering(List{});
    gathering.expect(2);
    gathering.add(page("a"));
    gathering.add(with_status(503));
    assert_int_equal(std::move(gathering).result().status, 503);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(who_has_the_connection_answers_for_all),
        cmocka_unit_test(nobody_has_it),
        cmocka_unit_test(somebody_had_it),
        cmocka_unit_test(a_worker_is_missing),
        cmocka_unit_test(it_is_not_known_how_many_answer),
        cmocka_unit_test(while_there_may_be_others_nothing_is_nowhere),
        cmocka_unit_test(what_somebody_has_or_had_is_told_all_the_same),
        cmocka_unit_test(pages_become_one_in_order),
        cmocka_unit_test(a_page_has_the_length_that_was_asked_for),
        cmocka_unit_test(a_page_ends_where_somebody_had_to_stop),
        cmocka_unit_test(who_is_reached_twice_counts_once),
        cmocka_unit_test(what_was_closed_is_added_up),
        cmocka_unit_test(a_worker_that_could_not_answer_is_told),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
