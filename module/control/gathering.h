// Makes one answer of those that the workers give to one request.
#pragma once

#include <cstddef>
#include <optional>

#include "control/answer.h"
#include "control/request.h"

namespace ws::control {

class Gathering final {
public:
    explicit Gathering(const Request& request);

    // How many workers will answer. They may have begun before this is known.
    void expect(std::size_t workers) noexcept { expected_ = workers; }
    void add(Answer answer);
    // There may be workers beyond those that will answer: what they don't have isn't known to be nowhere.
    void doubt() noexcept { doubtful_ = true; }

    // All have answered, or one of them has for all: the connection is there.
    [[nodiscard]] bool complete() const noexcept;

    // What is known by now: a 504 unless complete(), and whenever it could be wrong.
    [[nodiscard]] Answer result() &&;

private:
    void merge(Answer answer);
    void cut_page();
    [[nodiscard]] bool certain() const noexcept;

    bool for_one_;           // about one connection
    std::size_t limit_ = 0;  // of a page
    std::optional<std::size_t> expected_;
    std::size_t answered_ = 0;
    bool settled_ = false;
    bool doubtful_ = false;
    Answer whole_;
    std::string horizon_;  // beyond this id somebody may have connections that are not in `whole_`; empty: nobody
};

}  // namespace ws::control
