#include "control/gathering.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ws::control {

Gathering::Gathering(const Request& request)
    : for_one_(std::holds_alternative<Look>(request) || std::holds_alternative<Act>(request)) {
    if (const auto* list = std::get_if<List>(&request)) { limit_ = list->limit; }
    if (for_one_) {
        whole_.status = status::not_found;
        whole_.detail = "there is no such connection";
    }
}

void Gathering::add(Answer answer) {
    ++answered_;
    if (settled_) { return; }
    if (!for_one_) { return merge(std::move(answer)); }
    if (answer.status == status::not_found) { return; }
    settled_ = answer.status != status::gone;
    whole_ = std::move(answer);
}

void Gathering::merge(Answer answer) {
    if (answer.status != status::ok) {
        whole_.status = answer.status;
        whole_.detail = std::move(answer.detail);
    }
    whole_.closed += answer.closed;
    if (answer.more && !answer.connections.empty()) {
        const std::string_view last = described_id(answer.connections.back());
        if (horizon_.empty() || last < horizon_) { horizon_ = last; }
    }
    std::ranges::move(answer.connections, std::back_inserter(whole_.connections));
}

bool Gathering::complete() const noexcept { return settled_ || (expected_ && answered_ >= *expected_); }

// Somebody had the connection, or all have told who could have it.
bool Gathering::certain() const noexcept { return settled_ || whole_.status == status::gone || !doubtful_; }

// In the order of their ids, as far as all workers have told, and not more than was asked for.
void Gathering::cut_page() {
    auto& page = whole_.connections;
    std::ranges::sort(page, {}, described_id);
    // A worker that is reached twice, by two names of the same Redis, tells twice.
    const auto same = [](std::string_view a, std::string_view b) { return described_id(a) == described_id(b); };
    page.erase(std::unique(page.begin(), page.end(), same), page.end());
    const std::size_t all = page.size();
    if (!horizon_.empty()) { page.erase(std::ranges::upper_bound(page, horizon_, {}, described_id), page.end()); }
    if (page.size() > limit_) { page.resize(limit_); }
    whole_.more = !horizon_.empty() || page.size() < all;
}

Answer Gathering::result() && {
    if (!complete() || !certain()) {
        whole_.status = status::timeout;
        if (complete()) {
            whole_.detail = "Redis has come back only now: there may be workers that it doesn't reach yet";
        } else {
            whole_.detail = expected_ ? std::to_string(answered_) + " of " + std::to_string(*expected_) +
                                            " workers have answered in time"
                                      : "Redis has not taken the question in time";
        }
        whole_.connections.clear();
        return std::move(whole_);
    }
    if (!for_one_) { cut_page(); }
    return std::move(whole_);
}

}  // namespace ws::control
