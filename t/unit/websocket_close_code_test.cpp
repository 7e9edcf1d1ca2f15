// RFC 6455 7.4. That a frame with a wrong code is refused: websocket_decoder_test; not sent: websocket_frame_test.
#include "cmocka.hpp"

#include "websocket/close_code.h"

using namespace ws::websocket;

namespace {

// RFC 6455 7.4.1 and 7.4.2, and the registry: 1012 to 1014 were registered later.
void codes_of_the_registry_and_of_applications_are_allowed(void**) {
    for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}) {
        assert_true(close_code::allowed(static_cast<std::uint16_t>(code)));
    }
    for (unsigned code = 3000; code <= 4999; ++code) {
        assert_true(close_code::allowed(static_cast<std::uint16_t>(code)));
    }
}

void reserved_and_unassigned_codes_are_not_allowed(void**) {
    for (const int code : {1004, 1005, 1006, 1015}) {
        assert_false(close_code::allowed(static_cast<std::uint16_t>(code)));
    }
    const struct { unsigned first, last; } ranges[] = {{0, 999}, {1016, 2999}, {5000, 65535}};
    for (const auto& range : ranges) {
        for (unsigned code = range.first; code <= range.last; ++code) {
            assert_false(close_code::allowed(static_cast<std::uint16_t>(code)));
        }
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(codes_of_the_registry_and_of_applications_are_allowed),
        cmocka_unit_test(reserved_and_unassigned_codes_are_not_allowed),
    };
    return cmocka_run_group_tests_name("websocket close codes", tests, nullptr, nullptr);
}
