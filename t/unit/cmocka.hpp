// cmocka for C++: its header has no extern "C" and wants these four before it.
//
// A failing assert leaves the test by longjmp, past the destructors of its frame: keep what must
// be freed in a fixture and free it in its teardown.
#pragma once

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <ios>  // has a member fail(), which is a macro of cmocka's

extern "C" {
#include <cmocka.h>
}

#include <source_location>
#include <string>
#include <string_view>

namespace ws::test {

// Compares whole byte strings and shows both when they differ.
inline void assert_bytes_equal(std::string_view got, std::string_view wanted,
                               std::source_location where = std::source_location::current()) {
    if (got != wanted) {
        const auto shown = [](std::string_view bytes) {
            static constexpr char digits[] = "0123456789abcdef";
            std::string text = std::to_string(bytes.size()) + " bytes: ";
            for (const char byte : bytes.substr(0, 400)) {
                const auto value = static_cast<unsigned char>(byte);
                if (value >= 0x20 && value < 0x7f && value != '\\') {
                    text += byte;
                } else {
                    text += {'\\', 'x', digits[value >> 4], digits[value & 15]};
                }
            }
            return text;
        };
        print_error("got    %s\nwanted %s\n", shown(got).c_str(), shown(wanted).c_str());
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

}  // namespace ws::test
