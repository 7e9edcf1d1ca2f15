#include "redis/pipeline.h"

#include "redis/reply.h"

#include <new>
#include <utility>
#include <vector>

namespace ws::redis {

namespace {

struct FreeCommand {
    void operator()(char* text) const noexcept { redisFreeCommand(text); }
};

// For a log line.
std::string printable(std::string_view text) {
    constexpr std::size_t max = 128;
    std::string out{text.substr(0, max)};
    for (char& c : out) {
        if (c < ' ' || c > '~') { c = '?'; }
    }
    return out;
}

// ["master", ...]. A user who may not ask has to believe it.
bool is_master(const redisReply& reply) {
    if (is_error(reply)) { return error_code(reply) == "NOPERM"; }
    return reply.type == REDIS_REPLY_ARRAY && reply.elements > 0 && string_value(*reply.element[0]) == "master";
}

redisReader* create_reader() {
    redisReader* reader = redisReaderCreate();
    if (reader == nullptr) { throw std::bad_alloc{}; }
    return reader;
}

}  // namespace

// No NOLOOP: with each change Redis forgets who has read the key, reported or not, and a change of our own that wasn't
// reported would be the last one heard of.
std::array<std::string_view, 5> tracking_command(std::string_view receiver) {
    return {"CLIENT", "TRACKING", "ON", "REDIRECT", receiver};
}

bool may_pass(const redisReply& reply) {
    const std::string_view code = error_code(reply);
    if (!code.empty() && code != "ERR" && code != "NOPERM") { return true; }
    const auto says = [text = error_text(reply)](std::string_view words) {
        return text.find(words) != std::string_view::npos;
    };
    return says("max number of clients") || says("redirect to does not exist");
}

Pipeline::Pipeline(const Login& login, std::size_t max_reply)
    : login_(login), max_reply_(max_reply), limit_(max_reply) {
    restart();
}

Pipeline::Pipeline(const Login& login, Invalidations& listener, std::size_t max_reply)
    : login_(login), max_reply_(max_reply), limit_(max_reply), listener_(&listener) {
    restart();
}

// A message comes in an array with its channel's name.
Pipeline::Pipeline(const Login& login, const Subscription& subscription)
    : login_(login), max_reply_(subscription.max_message + 1024), limit_(max_reply_), subscription_(&subscription) {
    restart();
}

void Pipeline::track(long long receiver) {
    receiver_ = receiver;
    restart();
}

void Pipeline::restart() {
    reader_.reset(create_reader());
    limit_ = ReplyLimit{max_reply_};
    error_.clear();
    out_.clear();
    sent_ = 0;
    steps_.clear();
    step_ = 0;
    tracking_refused_ = false;
    if (!login_.password.empty()) {
        std::vector<std::string_view> auth{"AUTH"};
        if (!login_.user.empty()) { auth.push_back(login_.user); }
        auth.push_back(login_.password);
        add_step(Step::auth, auth);
    }
    if (login_.db != 0) {
        const std::string db = std::to_string(login_.db);
        add_step(Step::select, std::array<std::string_view, 2>{"SELECT", db});
    }
    if (login_.master) { add_step(Step::role, std::array<std::string_view, 1>{"ROLE"}); }
    if (receiver_ != 0) { add_step(Step::track, tracking_command(std::to_string(receiver_))); }
    if (subscription_ != nullptr) {
        for (const std::string& channel : subscription_->channels) {
            add_step(Step::subscribe, std::array<std::string_view, 2>{"SUBSCRIBE", channel});
        }
    } else if (listener_ != nullptr) {
        add_step(Step::id, std::array<std::string_view, 2>{"CLIENT", "ID"});
        add_step(Step::subscribe, std::array<std::string_view, 2>{"SUBSCRIBE", "__redis__:invalidate"});
    } else {
        add_step(Step::ping, std::array<std::string_view, 1>{"PING"});
    }
}

void Pipeline::add_step(Step step, std::span<const std::string_view> argv) {
    append(out_, argv);
    steps_.push_back(step);
}

void Pipeline::append(std::string& out, std::span<const std::string_view> argv) {
    words_.clear();
    lengths_.clear();
    for (const std::string_view word : argv) {
        words_.push_back(word.data());
        lengths_.push_back(word.size());
    }
    // Not redisFormatSdsCommandArgv(), though it is faster: without memory hiredis 0.14 leaks there.
    char* text = nullptr;
    const int length = redisFormatCommandArgv(&text, static_cast<int>(argv.size()), words_.data(), lengths_.data());
    if (length < 0) { throw std::bad_alloc{}; }
    const std::unique_ptr<char, FreeCommand> owner{text};
    out.append(text, static_cast<std::size_t>(length));
}

void Pipeline::ping() { append(out_, std::array<std::string_view, 1>{"PING"}); }

void Pipeline::push(std::span<const std::string_view> argv, std::shared_ptr<Command> command, std::uint64_t stamp) {
    std::string& out = ready() ? out_ : held_;
    const std::size_t before = out.size();
    append(out, argv);
    try {
        queue_.push_back({std::move(command), stamp, pushed_ + out.size() - before});
    } catch (...) {
        out.resize(before);  // the order of bytes and callbacks must agree
        throw;
    }
    pushed_ = queue_.back().end;
}

std::string_view Pipeline::output() const noexcept { return std::string_view{out_}.substr(sent_); }

void Pipeline::consumed(std::size_t bytes) noexcept {
    sent_ += bytes;
    if (ready()) { written_ += bytes; }
    if (sent_ == out_.size()) {
        out_.clear();
        sent_ = 0;
    }
}

bool Pipeline::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t taken = limit_.take(bytes);
        if (limit_.broken()) {
            error_ = "broken reply";
            return false;
        }
        if (limit_.too_large() ? !skip_reply() : !parse(bytes.substr(0, taken))) { return false; }
        bytes.remove_prefix(taken);
    }
    return true;
}

// Hands on bytes of one reply, its end at most.
bool Pipeline::parse(std::string_view bytes) {
    void* next = nullptr;
    if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK ||
        redisReaderGetReply(reader_.get(), &next) != REDIS_OK) {
        error_ = "broken reply";
        return false;
    }
    const ReplyPtr reply{static_cast<redisReply*>(next)};
    if ((reply != nullptr) != limit_.whole()) {
        error_ = "broken reply";
        return false;
    }
    return reply == nullptr || take_reply(*reply);
}

// A reply too large to be stored: at its end the command gets an error instead; the connection and its other commands live on.
bool Pipeline::skip_reply() {
    if (!limit_.whole()) { return true; }
    reader_.reset(create_reader());  // it may hold the beginning
    char text[] = "TOOLARGE the reply exceeds the limit";
    redisReply error{};
    error.type = REDIS_REPLY_ERROR;
    error.str = text;
    error.len = sizeof(text) - 1;
    return take_reply(error);
}

bool Pipeline::take_reply(const redisReply& reply) {
    if (!ready()) { return take_login_reply(reply); }
    if (listener_ != nullptr) {
        take_report(reply);
        return true;
    }
    if (subscription_ != nullptr) {
        take_message(reply);
        return true;
    }
    if (queue_.empty() || queue_.front().end > written_) {
        error_ = "a reply that nobody asked for";
        return false;
    }
    const std::shared_ptr<Command> command = std::move(queue_.front().command);
    queue_.pop_front();
    command->answer({Outcome::Status::reply, &reply});
    return true;
}

bool Pipeline::take_login_reply(const redisReply& reply) {
    const Step step = steps_[step_];
    if (const char* refused = refuse_login(step, reply)) {
        if (step == Step::role && !is_error(reply)) {
            error_ = "it is no master";
            return false;
        }
        error_ = std::string{refused} + " refused: ";
        // Only the code where the text may quote the password.
        error_ += step == Step::auth ? std::string{error_code(reply)} : printable(error_text(reply));
        return false;
    }
    if (step_ + 1 == steps_.size() && !output().empty()) {
        error_ = "a reply that nobody asked for";
        return false;
    }
    ++step_;
    if (ready()) { out_ = std::exchange(held_, {}); }
    return true;
}

// The name of the command whose failure ends the connection, or null.
const char* Pipeline::refuse_login(Step step, const redisReply& reply) {
    switch (step) {
        case Step::auth: return is_error(reply) ? "AUTH" : nullptr;
        case Step::select: return is_error(reply) ? "SELECT" : nullptr;
        case Step::role: return is_master(reply) ? nullptr : "ROLE";
        case Step::ping:
            // A user who may not PING has reached a serving Redis all the same.
            return is_error(reply) && error_code(reply) != "NOPERM" ? "PING" : nullptr;
        case Step::track:
            tracking_refused_ = is_error(reply) && !may_pass(reply);
            if (is_error(reply)) { receiver_ = 0; }
            return nullptr;
        case Step::id:
            id_ = reply.type == REDIS_REPLY_INTEGER ? reply.integer : 0;
            tracking_refused_ = id_ == 0 && !may_pass(reply);
            return id_ == 0 ? "CLIENT ID" : nullptr;
        case Step::subscribe:
            if (reply.type == REDIS_REPLY_ARRAY) { return nullptr; }
            tracking_refused_ = !may_pass(reply);
            return "SUBSCRIBE";
    }
    return nullptr;
}

// ["message", "__redis__:invalidate", [key, ...]]; null in place of the keys: all of them. ["pong", ""] answers a PING.
void Pipeline::take_report(const redisReply& reply) {
    if (reply.type == REDIS_REPLY_ARRAY && reply.elements == 2) { return; }
    const redisReply* keys = reply.type == REDIS_REPLY_ARRAY && reply.elements == 3 ? reply.element[2] : nullptr;
    if (keys == nullptr || keys->type != REDIS_REPLY_ARRAY) {
        listener_->missed();
        return;
    }
    for (std::size_t i = 0; i < keys->elements; ++i) {
        if (const auto key = string_value(*keys->element[i])) { listener_->invalidated(*key); }
    }
}

// ["message", channel, text]. ["pong", ""] answers a PING, and an error stands for a message that was too large.
void Pipeline::take_message(const redisReply& reply) {
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 3) { return; }
    const auto channel = string_value(*reply.element[1]);
    const auto text = string_value(*reply.element[2]);
    if (string_value(*reply.element[0]) == "message" && channel && text) {
        subscription_->subscriber->published(*channel, *text);
    }
}

void Pipeline::fail_all(Outcome::Status status) {
    bool out_of_memory = false;
    while (!queue_.empty()) {
        const std::shared_ptr<Command> command = std::move(queue_.front().command);
        queue_.pop_front();
        try {
            command->answer({status, nullptr});
        } catch (const std::bad_alloc&) { out_of_memory = true; }
    }
    if (out_of_memory) { throw std::bad_alloc(); }
}

}  // namespace ws::redis
