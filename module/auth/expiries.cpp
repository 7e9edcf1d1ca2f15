#include "auth/expiries.h"

#include <algorithm>
#include <array>
#include <utility>

#include "redis/reply.h"

namespace ws::auth {

namespace {

// Later ones are asked about again by then: event loops know no timers of months.
constexpr long long longest = 24LL * 3600 * 1000;

// Redis has a key until its time is over.
constexpr Milliseconds over{1};

}  // namespace

void Expiries::ask(Entry& entry, std::string_view key) {
    const std::array<std::string_view, 2> command{"PTTL", key};
    entry.question = store_.send(command, [this, &entry](const redis::Outcome& outcome) { on_reply(entry, outcome); });
}

void Expiries::on_reply(Entry& entry, const redis::Outcome& outcome) {
    entry.question.reset();
    if (outcome.status != redis::Outcome::Status::reply) { return; }
    forget(entry);
    // -1: never. -2: it is gone, which the session's own read tells. An error: the user may not ask.
    const long long left = redis::integer_value(*outcome.reply).value_or(-1);
    if (left < 0) { return; }
    const Milliseconds time = clock_.now() + Milliseconds(std::min(left, longest)) + over;
    entry.place = schedule_.emplace(time, &entry);
    entry.scheduled = true;
    clock_.wake_at(time);
}

void Expiries::forget(Entry& entry) noexcept {
    entry.question.reset();
    if (std::exchange(entry.scheduled, false)) { schedule_.erase(entry.place); }
}

Expiries::Entry* Expiries::next() {
    if (schedule_.empty() || due() > clock_.now()) { return nullptr; }
    Entry* entry = schedule_.begin()->second;
    forget(*entry);
    return entry;
}

}  // namespace ws::auth
