#include "redis/pipeline.h"

#include "redis/reply.h"

#include <new>
#include <utility>
#include <vector>

namespace ws::redis {

namespace {

void append_command(std::string& out, std::span<const std::string_view> argv)
{
    std::vector<const char*> words;
    std::vector<std::size_t> lengths;
    words.reserve(argv.size());
    lengths.reserve(argv.size());
    for (const std::string_view word : argv) {
        words.push_back(word.data());
        lengths.push_back(word.size());
    }
    char* text = nullptr;
    const int length = redisFormatCommandArgv(&text, static_cast<int>(argv.size()), words.data(), lengths.data());
    if (length < 0) {
        throw std::bad_alloc{};
    }
    const std::unique_ptr<char, decltype(&redisFreeCommand)> owner{text, redisFreeCommand};
    out.append(text, static_cast<std::size_t>(length));
}

redisReader* create_reader()
{
    redisReader* reader = redisReaderCreate();
    if (reader == nullptr) {
        throw std::bad_alloc{};
    }
    return reader;
}

}  // namespace

Pipeline::Pipeline(const Login& login, std::size_t max_reply) : login_(login), max_reply_(max_reply), limit_(max_reply)
{
    restart();
}

void Pipeline::restart()
{
    reader_.reset(create_reader());
    limit_ = ReplyLimit{max_reply_};
    error_.clear();
    out_.clear();
    sent_ = 0;
    logins_ = 1;
    if (!login_.password.empty()) {
        std::vector<std::string_view> auth{"AUTH"};
        if (!login_.user.empty()) {
            auth.push_back(login_.user);
        }
        auth.push_back(login_.password);
        append_command(out_, auth);
        ++logins_;
    }
    if (login_.db != 0) {
        const std::string db = std::to_string(login_.db);
        append_command(out_, std::vector<std::string_view>{"SELECT", db});
        ++logins_;
    }
    append_command(out_, std::vector<std::string_view>{"PING"});
}

void Pipeline::push(std::span<const std::string_view> argv, std::shared_ptr<Command> command, std::uint64_t stamp)
{
    std::string& out = ready() ? out_ : held_;
    const std::size_t before = out.size();
    append_command(out, argv);
    try {
        queue_.push_back({std::move(command), stamp});
    } catch (...) {
        out.resize(before);  // the order of bytes and callbacks must agree
        throw;
    }
}

std::string_view Pipeline::output() const noexcept
{
    return std::string_view{out_}.substr(sent_);
}

void Pipeline::consumed(std::size_t bytes) noexcept
{
    sent_ += bytes;
    if (sent_ == out_.size()) {
        out_.clear();
        sent_ = 0;
    }
}

bool Pipeline::feed(std::string_view bytes)
{
    const std::size_t within = limit_.accept(bytes);
    if (redisReaderFeed(reader_.get(), bytes.data(), within) != REDIS_OK) {
        error_ = "out of memory";
        return false;
    }
    for (;;) {
        void* next = nullptr;
        if (redisReaderGetReply(reader_.get(), &next) != REDIS_OK) {
            error_ = "broken reply";
            return false;
        }
        if (next == nullptr) {
            break;
        }
        const ReplyPtr reply{static_cast<redisReply*>(next)};
        if (!take_reply(*reply)) {
            return false;
        }
    }
    if (within < bytes.size()) {
        error_ = "reply too large, or not RESP2";
        return false;
    }
    return true;
}

bool Pipeline::take_reply(redisReply& reply)
{
    if (!ready()) {
        return take_login_reply(reply);
    }
    if (queue_.empty()) {
        error_ = "a reply that nobody asked for";
        return false;
    }
    const std::shared_ptr<Command> command = std::move(queue_.front().command);
    queue_.pop_front();
    command->answer({Outcome::Status::reply, &reply});
    return true;
}

bool Pipeline::take_login_reply(const redisReply& reply)
{
    // PING comes last. A user who may not PING has reached a serving Redis all the same.
    const bool ping = logins_ == 1;
    if (is_error(reply) && !(ping && error_code(reply) == "NOPERM")) {
        // Only the code: the text of an error may quote the password.
        const bool select = logins_ == 2 && login_.db != 0;
        const std::string_view code = error_code(reply);
        error_ = ping ? "PING" : select ? "SELECT" : "AUTH";
        error_ += " refused: ";
        error_ += code.empty() ? "unknown error" : code;
        return false;
    }
    --logins_;
    if (ready()) {
        out_.erase(0, sent_);
        sent_ = 0;
        out_ += std::exchange(held_, {});
    }
    return true;
}

void Pipeline::fail_all(Outcome::Status status)
{
    for (const Entry& entry : std::exchange(queue_, {})) {
        entry.command->answer({status, nullptr});
    }
}

}  // namespace ws::redis
