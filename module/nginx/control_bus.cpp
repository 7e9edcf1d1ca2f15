#include "nginx/control_bus.h"

#include <sys/random.h>

#include <array>
#include <bit>
#include <charconv>
#include <utility>

#include "control/gathering.h"
#include "redis/backoff.h"
#include "redis/reply.h"

namespace ws::nginx {

namespace {

using control::Answer;

// A message with all that stands around it.
constexpr std::size_t max_message = control::max_body + control::max_head + 1;

// How long a worker may need to come back once Redis, or the next one, is there: the longest delay between two attempts, and some
// time for the attempt, or for hearing who it is.
constexpr ngx_msec_t return_time = redis::Backoff::max_ms + 2500;

// So soon after the bus was made Redis is there, as a rule, and nobody has to come back.
constexpr ngx_msec_t start_time = 1000;

std::string random_name() {
    std::array<unsigned char, 16> bytes;
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) { throw std::bad_alloc(); }
    std::string name(2 * bytes.size(), '0');
    ngx_hex_dump(reinterpret_cast<u_char*>(name.data()), bytes.data(), bytes.size());
    return name;
}

Answer unavailable(std::string_view detail) {
    Answer answer;
    answer.status = control::status::unavailable;
    answer.detail = detail;
    return answer;
}

}  // namespace

struct ControlBus::Asked {
    Asked(ControlBus& owner, std::uint64_t own_number, control::Request question, ngx_log_t* log)
        : bus(owner), number(own_number), request(std::move(question)), gathering(request) {
        no_socket.fd = static_cast<ngx_socket_t>(-1);
        no_socket.data = this;
        timer.data = &no_socket;
        timer.log = log;
        timer.handler = on_timeout;
    }
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;
    ~Asked() {
        if (timer.timer_set) { ngx_del_timer(&timer); }
    }

    ControlBus& bus;
    std::uint64_t number;
    control::Request request;
    Done done{};
    control::Gathering gathering;
    Answer own{};  // this worker's
    std::unique_ptr<redis::Pending> publishing{};
    ngx_connection_t no_socket{};  // events want one for the debug log
    ngx_event_t timer{};
    bool refused = false;  // by the desk; the timer tells
};

// The braces keep both channels in one slot of a cluster.
ControlBus::ControlBus(const ControlSettings& settings, ControlDesk& desk, RedisStore& store, ngx_log_t* log)
    : desk_(desk),
      store_(store),
      log_(log),
      replies_('{' + settings.channel + "}:reply:"),
      subscription_{this, {replies_ + random_name(), settings.channel}, max_message},
      made_(ngx_current_msec),
      settled_(ngx_current_msec) {
    store_.subscribe(subscription_);
}

ControlBus::~ControlBus() { store_.unsubscribe(); }

std::uint64_t ControlBus::ask(control::Request request, ngx_msec_t timeout, Done done) {
    const std::uint64_t number = ++last_;
    auto made = std::make_unique<Asked>(*this, number, request, log_);
    made->done = std::move(done);
    Asked& asked = *made;
    asked_.emplace(number, std::move(made));
    try {
        asked.refused = !desk_.submit(std::move(request), [this, number](Answer answer) {
            try {
                answered_here(number, std::move(answer));
            } catch (...) { finish(number, unavailable({})); }
        });
    } catch (...) {
        asked_.erase(number);
        throw;
    }
    ngx_add_timer(&asked.timer, asked.refused ? 1 : timeout);
    return number;
}

void ControlBus::forget(std::uint64_t number) noexcept { asked_.erase(number); }

void ControlBus::on_timeout(ngx_event_t* event) noexcept {
    auto& asked = *static_cast<Asked*>(static_cast<ngx_connection_t*>(event->data)->data);
    if (asked.refused) { return asked.bus.finish(asked.number, unavailable("too many requests")); }
    asked.bus.finish(asked.number, std::move(asked.gathering).result());
}

// Who has the connection answers for all.
void ControlBus::answered_here(std::uint64_t number, Answer answer) {
    const auto found = asked_.find(number);
    if (found == asked_.end()) { return; }
    Asked& asked = *found->second;
    const bool for_one = !std::holds_alternative<control::List>(asked.request) &&
                         !std::holds_alternative<control::CloseAll>(asked.request);
    if (for_one && answer.status != control::status::not_found) { return finish(number, std::move(answer)); }
    asked.own = std::move(answer);
    publish(number);
}

void ControlBus::publish(std::uint64_t number) {
    if (!on_) { return finish(number, unavailable("Redis can't be reached, so only this worker could be asked")); }
    Asked& asked = *asked_.at(number);
    const std::string text =
        control::encode(control::Question{std::to_string(number), subscription_.channels[0], asked.request});
    const std::array<std::string_view, 3> argv{"PUBLISH", subscription_.channels[1], text};
    asked.publishing = store_.send(argv, [this, number](const redis::Outcome& outcome) { reached(number, outcome); });
}

void ControlBus::reached(std::uint64_t number, const redis::Outcome& outcome) {
    const auto found = asked_.find(number);
    if (found == asked_.end()) { return; }
    if (outcome.status != redis::Outcome::Status::reply || outcome.reply->type != REDIS_REPLY_INTEGER) {
        const bool refused = outcome.status == redis::Outcome::Status::reply;
        return finish(number, unavailable(refused ? "Redis refuses PUBLISH" : "Redis can't be reached"));
    }
    if (static_cast<ngx_msec_int_t>(settled_ - ngx_current_msec) > 0) { found->second->gathering.doubt(); }
    found->second->gathering.expect(static_cast<std::size_t>(outcome.reply->integer));
    finish_if_complete(number);
}

void ControlBus::subscribed(bool on) {
    on_ = on;
    if (!on) { return; }
    const bool at_start = !std::exchange(was_on_, true) && ngx_current_msec - made_ < start_time;
    settled_ = ngx_current_msec + (at_start ? 0 : return_time);
}

void ControlBus::published(std::string_view channel, std::string_view message) {
    try {
        if (channel == subscription_.channels[1]) {
            take_question(message);
        } else {
            take_reply(message);
        }
    } catch (...) { drop("message, for want of memory"); }
}

void ControlBus::take_question(std::string_view text) {
    const auto question = control::parse_question(text);
    if (!question || !question->reply_to.starts_with(replies_)) { return drop("question that is none"); }
    if (question->reply_to != subscription_.channels[0]) { return answer(*question); }
    std::uint64_t number = 0;
    std::from_chars(question->number.data(), question->number.data() + question->number.size(), number);
    const auto found = asked_.find(number);
    if (found == asked_.end()) { return; }
    found->second->gathering.add(std::exchange(found->second->own, {}));
    finish_if_complete(number);
}

void ControlBus::answer(const control::Question& question) {
    const bool taken =
        desk_.submit(question.request, [this, channel = question.reply_to, number = question.number](Answer answer) {
            try {
                reply(channel, {number, std::move(answer)});
            } catch (...) { drop("question, for want of memory"); }
        });
    if (!taken) { reply(question.reply_to, {question.number, unavailable("too many requests")}); }
}

// If it gets lost, the asker's timer tells.
void ControlBus::reply(const std::string& channel, const control::Reply& reply) {
    const std::string text = control::encode(reply);
    (void)store_.send(std::array<std::string_view, 3>{"PUBLISH", channel, text}, nullptr);
}

void ControlBus::take_reply(std::string_view text) {
    auto reply = control::parse_reply(text);
    if (!reply) { return drop("reply that is none"); }
    std::uint64_t number = 0;
    std::from_chars(reply->number.data(), reply->number.data() + reply->number.size(), number);
    const auto found = asked_.find(number);
    if (found == asked_.end()) { return; }  // it has come too late
    found->second->gathering.add(std::move(reply->answer));
    finish_if_complete(number);
}

void ControlBus::finish_if_complete(std::uint64_t number) {
    Asked& asked = *asked_.at(number);
    if (asked.gathering.complete()) { finish(number, std::move(asked.gathering).result()); }
}

void ControlBus::finish(std::uint64_t number, Answer answer) {
    const auto found = asked_.find(number);
    if (found == asked_.end()) { return; }
    const std::unique_ptr<Asked> asked = std::move(found->second);
    asked_.erase(found);
    asked->done(std::move(answer));
}

// The 1st, 2nd, 4th, 8th ..., so that a log doesn't grow with each.
void ControlBus::drop(const char* what) noexcept {
    if (!std::has_single_bit(++dropped_)) { return; }
    ngx_log_error(NGX_LOG_WARN, log_, 0, "ws: ws_control drops a %s (%uL so far)", what, dropped_);
}

}  // namespace ws::nginx
