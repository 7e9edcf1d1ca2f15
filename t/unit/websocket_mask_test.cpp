// RFC 6455 5.3. That a client's frames are masked and a server's are not (5.1): websocket_frame_test.
#include "cmocka.hpp"

#include "websocket/mask.h"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using ws::test::assert_bytes_equal;

namespace {

char noise(std::size_t i) { return static_cast<char>(i * 131 + 17); }

void rfc_5_7_example_is_unmasked(void**) {
    std::string payload = wire::hex("7f 9f 4d 51 58");
    apply_mask(payload.data(), payload.size(), wire::key, 0);
    assert_string_equal(payload.c_str(), "Hello");
}

// Every length around the width of a word, every alignment, every offset; everything but the range stays as it was.
void any_length_alignment_and_offset_masks_exactly_the_range(void**) {
    constexpr std::size_t room = 96;
    for (std::size_t n = 0; n <= 67; ++n) {
        for (std::size_t at = 0; at <= 8; ++at) {
            for (std::size_t offset = 0; offset <= 7; ++offset) {
                char data[room];
                for (std::size_t i = 0; i < room; ++i) { data[i] = noise(i); }
                apply_mask(data + at, n, wire::key, offset);
                for (std::size_t i = 0; i < room; ++i) {
                    const bool inside = i >= at && i < at + n;
                    const int key = inside ? wire::key[(offset + i - at) % 4] : 0;
                    assert_int_equal(static_cast<unsigned char>(data[i]), static_cast<unsigned char>(noise(i) ^ key));
                }
            }
        }
    }
}

void nothing_is_touched_before_or_after_a_guarded_range(void**) {
    const wire::Guarded memory(64);
    for (std::size_t n = 0; n <= 64; ++n) {
        for (char* const data : {memory.begin(), memory.end() - n}) {
            std::fill_n(data, n, 'x');
            apply_mask(data, n, wire::key, 3);
            for (std::size_t i = 0; i < n; ++i) {
                assert_int_equal(static_cast<unsigned char>(data[i]), 'x' ^ wire::key[(i + 3) % 4]);
            }
        }
    }
}

// A caller that masks piece by piece passes how much came before.
void pieces_with_offsets_give_the_same_as_the_whole(void**) {
    std::string whole(101, '\0');
    for (std::size_t i = 0; i < whole.size(); ++i) { whole[i] = noise(i); }
    std::string pieces = whole;
    apply_mask(whole.data(), whole.size(), wire::key, 0);
    for (std::size_t at = 0, n = 1; at < pieces.size(); at += n, ++n) {
        n = std::min(n, pieces.size() - at);
        apply_mask(pieces.data() + at, n, wire::key, at);
    }
    assert_bytes_equal(pieces, whole);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(rfc_5_7_example_is_unmasked),
        cmocka_unit_test(any_length_alignment_and_offset_masks_exactly_the_range),
        cmocka_unit_test(nothing_is_touched_before_or_after_a_guarded_range),
        cmocka_unit_test(pieces_with_offsets_give_the_same_as_the_whole),
    };
    return cmocka_run_group_tests_name("websocket mask", tests, nullptr, nullptr);
}
