#include "context/traceparent.h"

#include <array>
#include <string>

#include "cmocka.hpp"

using namespace ws::context;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view sample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

void assert_accepted(std::string_view text, std::string_view wanted) {
    const auto accepted = accepted_traceparent(text);
    assert_true(accepted.has_value());
    ws::test::assert_bytes_equal(*accepted, wanted);
}

void assert_refused(std::string_view text) { assert_false(accepted_traceparent(text).has_value()); }

std::string with(std::size_t at, std::string_view text) { return std::string(sample).replace(at, text.size(), text); }

void version_00_is_accepted_as_it_is(void**) {
    assert_accepted(sample, sample);
    for (const std::string_view flags : {"00", "01", "02", "03", "fe", "ff"}) {
        assert_accepted(with(53, flags), with(53, flags));
    }
    const auto least = "00-00000000000000000000000000000001-0000000000000001-00"sv;
    assert_accepted(least, least);
    const auto most = "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff"sv;
    assert_accepted(most, most);
}

void version_00_has_exactly_55_bytes(void**) {
    for (std::size_t size = 0; size < sample.size(); ++size) { assert_refused(sample.substr(0, size)); }
    for (const char* more : {"0", "-", "-00", " ", ",", "\n"}) { assert_refused(std::string(sample) + more); }
    assert_refused(std::string(sample) + '\0');
    assert_refused(" " + std::string(sample));
    assert_refused(std::string(sample) + "," + std::string(sample));
}

void every_byte_is_a_digit_in_lower_case_or_a_dash_in_its_place(void**) {
    for (std::size_t at = 0; at < sample.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            const char c = static_cast<char>(byte);
            const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            const bool dash = at == 2 || at == 35 || at == 52;
            const std::string text = with(at, {&c, 1});
            assert_int_equal(accepted_traceparent(text).has_value(), dash ? c == '-' : digit);
        }
    }
}

void ids_of_zeros_are_refused(void**) {
    assert_refused(with(3, std::string(32, '0')));
    assert_refused(with(36, std::string(16, '0')));
}

void version_ff_is_refused(void**) {
    assert_refused(with(0, "ff"));
    assert_refused(with(0, "ff") + "-more");
}

void a_later_version_becomes_version_00(void**) {
    for (const std::string_view version : {"01", "0f", "10", "cc", "fe"}) {
        assert_accepted(with(0, version), sample);
        assert_accepted(with(0, version) + "-", sample);
        assert_accepted(with(0, version) + "-what the future brings, \xff" + std::string(9000, 'x'), sample);
    }
}

void of_a_later_version_s_flags_only_sampled_is_known(void**) {
    for (const std::string_view flags : {"00", "02", "f0", "fe"}) {
        assert_accepted(with(0, "01").replace(53, 2, flags), with(53, "00"));
    }
    for (const std::string_view flags : {"01", "03", "09", "0b", "5d", "ff"}) {
        assert_accepted(with(0, "01").replace(53, 2, flags), with(53, "01"));
    }
}

void a_later_version_is_refused_where_version_00_would_be(void**) {
    const std::string later = with(0, "01");
    for (std::size_t size = 0; size < later.size(); ++size) { assert_refused(later.substr(0, size)); }
    for (const char* more : {"0", " -", "x-", ","}) { assert_refused(later + more); }
    assert_refused(later + '\0');
    for (const std::size_t at : {2U, 3U, 34U, 35U, 36U, 51U, 52U, 53U, 54U}) {
        std::string text = later + "-more";
        text[at] = 'A';
        assert_refused(text);
    }
    assert_refused(std::string(later).replace(3, 32, 32, '0') + "-more");
    assert_refused(std::string(later).replace(36, 16, 16, '0') + "-more");
}

void a_new_one_has_the_random_bytes_and_the_flag(void**) {
    std::array<unsigned char, traceparent_entropy> random;
    for (std::size_t i = 0; i < random.size(); ++i) { random[i] = static_cast<unsigned char>(0x0a * i); }
    constexpr std::string_view sampled = "00-000a141e28323c46505a646e78828c96-a0aab4bec8d2dce6-01";
    ws::test::assert_bytes_equal(new_traceparent(random, true), sampled);
    ws::test::assert_bytes_equal(new_traceparent(random, false), std::string(sampled).replace(53, 2, "00"));
    assert_accepted(new_traceparent(random, true), sampled);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(version_00_is_accepted_as_it_is),
        cmocka_unit_test(version_00_has_exactly_55_bytes),
        cmocka_unit_test(every_byte_is_a_digit_in_lower_case_or_a_dash_in_its_place),
        cmocka_unit_test(ids_of_zeros_are_refused),
        cmocka_unit_test(version_ff_is_refused),
        cmocka_unit_test(a_later_version_becomes_version_00),
        cmocka_unit_test(of_a_later_version_s_flags_only_sampled_is_known),
        cmocka_unit_test(a_later_version_is_refused_where_version_00_would_be),
        cmocka_unit_test(a_new_one_has_the_random_bytes_and_the_flag),
    };
    return cmocka_run_group_tests_name("traceparent", tests, nullptr, nullptr);
}
