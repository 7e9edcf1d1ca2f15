// Load for a WebSocket gateway, and what it costs there.
//
//     load echo    port= path= cookie= sessions= connections= size= in_flight= seconds= pids=
//         Messages of `size` bytes, `in_flight` of them under way on each connection. Every answer is compared with what was
//         sent, and has to come.
//     load post    port= path= cookie= sessions= connections= size= seconds= pids= [context=]
//         The same messages, one under way on each connection, as POST requests with the headers that http delivery sends.
//     load upgrade port= path= cookie= sessions= connections= seconds= pids= [rate=]
//         Opens and closes again and again, `connections` at a time; with a rate, so many a second.
//     load hold    port= path= cookie= sessions= connections= [size=]
//         Opens them, sends one message of `size` over each, prints "open", and holds them until its input ends.
//
// `cookie` with %d in it: another one for each connection, `sessions` different ones at most. With count= instead of seconds=, exactly
// so many messages or upgrades, the first one included. All but the last print one line: how many messages or upgrades, in how many
// nanoseconds, and the nanoseconds of CPU (user and system) that each of `pids` has used meanwhile.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "cpu_clocks.hpp"
#include "wire.hpp"

using namespace bench;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ,.";
constexpr std::size_t kinds = 16;             // of messages: each differs from the one before
constexpr std::size_t opening_at_once = 200;  // no more than a listener's queue takes
constexpr unsigned patience = 60;             // in seconds: what takes longer hangs
constexpr unsigned patience_for_count = 540;  // callgrind may be what is waited for

// The arguments, NAME=VALUE each.
class Settings {
public:
    Settings(int argc, char** argv) {
        for (int i = 2; i < argc; ++i) {
            const std::string_view text = argv[i];
            const std::size_t equals = text.find('=');
            require(equals != std::string_view::npos, "arguments of the form NAME=VALUE");
            values_.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    [[nodiscard]] std::string text(const char* name) const {
        const auto found = values_.find(name);
        require(found != values_.end(), name);
        return found->second;
    }
    [[nodiscard]] std::size_t number(const char* name) const { return std::strtoull(text(name).c_str(), nullptr, 10); }
    [[nodiscard]] double real(const char* name) const { return std::atof(text(name).c_str()); }
    [[nodiscard]] bool has(const char* name) const { return values_.contains(name); }

private:
    std::map<std::string, std::string, std::less<>> values_;
};

struct Target {
    std::uint16_t port;
    std::string path;
    std::string cookie;
    std::size_t sessions;
    std::string context{};

    [[nodiscard]] std::string request(std::size_t number) const {
        std::string value = cookie;
        if (const std::size_t at = value.find("%d"); at != std::string::npos) {
            value.replace(at, 2, std::to_string(number % sessions));
        }
        // As browsers send it, Origin included.
        return "GET " + path +
               " HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\nConnection: "
               "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: " +
               value + "\r\n\r\n";
    }
    // The head of a request such as http delivery makes of a message.
    [[nodiscard]] std::string event(std::size_t size, std::uint64_t number) const {
        return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) +
               "\r\nCookie: X-Token=4711\r\nX-WS-Connection-Id: c7f3a0d2b1e94c5f8a6d7e0b3c1f2a49\r\nce-specversion: "
               "1.0\r\n"
               "ce-source: http://localhost/http\r\nce-connectionid: c7f3a0d2b1e94c5f8a6d7e0b3c1f2a49\r\n"
               "Content-Type: text/plain; charset=utf-8\r\nce-type: websocket.message\r\n"
               "ce-id: c7f3a0d2b1e94c5f8a6d7e0b3c1f2a49/" +
               std::to_string(number) + "\r\nce-time: 2026-01-01T12:00:00.123Z\r\nX-WS-Context: " + context +
               "\r\n\r\n";
    }
};

struct Connection {
    int epoll = -1;
    int fd = -1;
    bool open = false;  // its 101 is here
    bool writing = false;
    Inbox in{};
    std::string out{};
    std::size_t sent = 0;
    std::uint64_t messages_sent = 0;
    std::uint64_t answers = 0;

    void connect(const Target& target, std::size_t number) {
        connect(target);
        out = target.request(number);
        write();
    }
    void connect(const Target& target) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address = loopback(target.port);
        if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) { die("connect"); }
        no_delay(fd);
        watch(epoll, fd, EPOLLIN, this, EPOLL_CTL_ADD);
    }
    void write() {
        const bool waits = !flush(fd, out, sent);
        if (waits == writing) { return; }
        writing = waits;
        watch(epoll, fd, waits ? EPOLLIN | EPOLLOUT : EPOLLIN, this, EPOLL_CTL_MOD);
    }
    // True once, when the 101 has come.
    bool opened() {
        if (open) { return false; }
        const std::size_t end = in.view().find("\r\n\r\n");
        if (end == std::string_view::npos) { return false; }
        const std::string line(in.view().substr(0, in.view().find("\r\n")));
        require(line.starts_with("HTTP/1.1 101 "), ("a 101, not " + line).c_str());
        in.use(end + 4);
        return open = true;
    }
    void finish() {
        close(fd);
        *this = {.epoll = epoll};
    }
};

class Load {
public:
    explicit Load(const Settings& settings)
        : target_{static_cast<std::uint16_t>(settings.number("port")), settings.text("path"), settings.text("cookie"),
                  settings.number("sessions"), settings.has("context") ? settings.text("context") : ""},
          epoll_(epoll_create1(0)),
          connections_(settings.number("connections"), Connection{.epoll = epoll_}),
          clocks_(settings.has("pids") ? settings.text("pids") : ""),
          count_(settings.has("count") ? settings.number("count") : 0),
          seconds_(settings.has("seconds") ? settings.real("seconds") : 0),
          left_(count_ > 0 ? count_ : std::numeric_limits<std::size_t>::max()) {}

    // Returns when all are open.
    void open_all() {
        std::size_t begun = 0;
        std::size_t open = 0;
        while (open < connections_.size()) {
            while (begun < connections_.size() && begun - open < opening_at_once) {
                connections_[begun].connect(target_, begun);
                ++begun;
            }
            poll(-1, [&open](Connection& c) {
                require(c.in.fill(c.fd), "a connection that opens; it was closed");
                open += c.opened() ? 1 : 0;
            });
        }
    }

    template <class Done, class On>
    void run_until(Done done, On on) {
        while (!done()) {
            poll(1, on);
            connect_due();
        }
    }
    // As long as that at least, and until every connection has had its share.
    template <class On>
    void run_for(std::chrono::nanoseconds time, On on) {
        counted_ = 0;
        run_until([this, until = Clock::now() +
                                 time] { return Clock::now() >= until && counted_ >= 2 * connections_.size(); },
                  on);
    }

    // Waits for events once, and gives the connection of each to `on`.
    template <class On>
    void poll(int milliseconds, On on) {
        epoll_event events[256];
        const int n = epoll_wait(epoll_, events, 256, milliseconds);
        for (int i = 0; i < n; ++i) { on(*static_cast<Connection*>(events[i].data.ptr)); }
    }

    // Runs a while until all is warm, then counts; or runs until all of `count` are done.
    template <class On>
    void measure(On on) {
        if (count_ == 0) { run_for(200ms, on); }
        const auto cpu_before = clocks_.now();
        const auto begin = Clock::now();
        if (count_ == 0) {
            run_for(std::chrono::nanoseconds(static_cast<std::int64_t>(seconds_ * 1e9)), on);
        } else {
            run_until([this] { return counted_ == count_; }, on);
        }
        const auto cpu_after = clocks_.now();
        const auto spent = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin);
        std::printf("%llu %lld", static_cast<unsigned long long>(counted_), static_cast<long long>(spent.count()));
        for (std::size_t i = 0; i < cpu_after.size(); ++i) { std::printf(" %lld", cpu_after[i] - cpu_before[i]); }
        std::puts("");
    }

    // Sends no more: what is under way has to come.
    template <class On>
    void finish(On on) {
        left_ = 0;
        run_until([this] { return under_way_ == 0; }, on);
    }

    void echo(std::size_t size, std::size_t in_flight);
    void post(std::size_t size);
    void upgrade(double rate);
    void hold(std::size_t size);

private:
    void prepare_messages(std::size_t size);
    void send_messages(Connection& c, std::size_t n);
    void connect_due();
    std::size_t take_answers(Connection& c);
    void send_post(Connection& c);
    void close_when_open(Connection& c);

    Target target_;
    int epoll_;
    std::vector<Connection> connections_;
    CpuClocks clocks_;
    const std::size_t count_;            // of messages or upgrades, 0: as many as there is time for
    const double seconds_;               // the time
    std::size_t left_;                   // may still be sent
    std::size_t under_way_ = 0;          // sent, and not answered
    std::vector<std::string> messages_;  // as they come back
    std::vector<std::string> frames_;    // as they are sent
    std::vector<Connection*> idle_;      // upgrade: not in use just now
    std::size_t next_ = 0;               // upgrade: the number of the next one
    double rate_ = 0;                    // upgrade: how many a second; 0: as many as there is room for
    Clock::time_point begin_{};
    std::uint64_t counted_ = 0;
};

void Load::prepare_messages(std::size_t size) {
    for (std::size_t kind = 0; kind < kinds; ++kind) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) { text.push_back(letters[(i * 7 + kind) % letters.size()]); }
        std::string frame;
        append_masked(frame, 1, text);
        messages_.push_back(std::move(text));
        frames_.push_back(std::move(frame));
    }
}

void Load::send_messages(Connection& c, std::size_t n) {
    n = std::min(n, left_);
    left_ -= n;
    under_way_ += n;
    for (std::size_t i = 0; i < n; ++i) { c.out += frames_[c.messages_sent++ % kinds]; }
    c.write();
}

// How many have come. Pings are answered.
std::size_t Load::take_answers(Connection& c) {
    require(c.in.fill(c.fd), "a connection that stays; it was closed");
    std::size_t answers = 0;
    while (const auto frame = first_frame(c.in.view())) {
        if (frame->opcode == 9) { append_masked(c.out, 10, frame->payload); }
        if (frame->opcode == 1) {
            require(frame->payload == messages_[c.answers++ % kinds], "an answer that is what was sent");
            ++answers;
        }
        c.in.use(frame->size);
    }
    c.in.settle();
    c.write();
    under_way_ -= answers;
    return answers;
}

void Load::echo(std::size_t size, std::size_t in_flight) {
    prepare_messages(size);
    open_all();
    for (Connection& c : connections_) { send_messages(c, in_flight); }
    const auto on = [this](Connection& c) {
        const std::size_t answers = take_answers(c);
        counted_ += answers;
        send_messages(c, answers);  // each makes room for another
    };
    measure(on);
    finish(on);
}

void Load::send_post(Connection& c) {
    if (left_ == 0) { return; }
    --left_;
    ++under_way_;
    const std::string& body = messages_[c.messages_sent++ % kinds];
    c.out += target_.event(body.size(), c.messages_sent);
    c.out += body;
    c.write();
}

void Load::post(std::size_t size) {
    prepare_messages(size);
    for (std::size_t number = 0; number < connections_.size(); ++number) {
        connections_[number].connect(target_);
        send_post(connections_[number]);
    }
    const auto on = [this](Connection& c) {
        require(c.in.fill(c.fd), "a connection that stays; it was closed");
        const std::string_view reply = c.in.view();
        const std::string& wanted = messages_[c.answers % kinds];
        const std::size_t head = reply.find("\r\n\r\n");
        if (head == std::string_view::npos || reply.size() < head + 4 + wanted.size()) { return; }
        require(reply.starts_with("HTTP/1.1 200 ") && reply.substr(head + 4) == wanted,
                "an answer that is what was sent");
        c.in.use(reply.size());
        c.in.settle();
        ++c.answers;
        ++counted_;
        --under_way_;
        send_post(c);
    };
    measure(on);
    finish(on);
}

// As soon as it is open, it is closed: the handshake of RFC 6455 7.1.1, to the end of the TCP connection.
void Load::close_when_open(Connection& c) {
    const bool alive = c.in.fill(c.fd);
    if (c.opened()) {
        append_masked(c.out, 8, std::string_view("\x03\xe8", 2));
        c.write();
    }
    require(alive || c.open, "a connection that opens; it was closed");
    if (alive) { return; }
    ++counted_;
    --under_way_;
    c.finish();
    idle_.push_back(&c);
}

void Load::connect_due() {
    const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
    while (!idle_.empty() && left_ > 0 && (rate_ == 0 || static_cast<double>(next_) < rate_ * elapsed)) {
        idle_.back()->connect(target_, next_++);
        idle_.pop_back();
        --left_;
        ++under_way_;
    }
}

void Load::upgrade(double rate) {
    for (Connection& c : connections_) { idle_.push_back(&c); }
    rate_ = rate;
    begin_ = Clock::now();
    const auto on = [this](Connection& c) { close_when_open(c); };
    measure(on);
    finish(on);
}

void Load::hold(std::size_t size) {
    open_all();
    if (size > 0) {
        prepare_messages(size);
        for (Connection& c : connections_) {
            send_messages(c, 1);
            while (c.answers == 0) {
                poll(-1, [this](Connection& any) { take_answers(any); });
            }
        }
    }
    watch(epoll_, STDIN_FILENO, EPOLLIN, nullptr, EPOLL_CTL_ADD);
    alarm(0);
    std::puts("open");
    std::fflush(stdout);
    for (;;) {
        epoll_event events[256];
        const int n = epoll_wait(epoll_, events, 256, -1);
        for (int i = 0; i < n; ++i) {
            auto* c = static_cast<Connection*>(events[i].data.ptr);
            if (c == nullptr) { return; }
            take_answers(*c);
        }
    }
}

// Nothing comes any more.
void give_up(int) {
    static constexpr std::string_view text = "expected answers in time; it hangs\n";
    (void)!write(STDERR_FILENO, text.data(), text.size());
    _exit(1);
}

}  // namespace

int main(int argc, char** argv) {
    require(argc > 1, "a mode: echo, post, upgrade or hold");
    const std::string_view mode = argv[1];
    const Settings settings(argc, argv);
    Load load(settings);
    std::signal(SIGALRM, give_up);
    alarm(settings.has("count")
              ? patience_for_count
              : patience + (settings.has("seconds") ? static_cast<unsigned>(settings.real("seconds")) : 0));
    if (mode == "echo") {
        load.echo(settings.number("size"), settings.number("in_flight"));
    } else if (mode == "post") {
        load.post(settings.number("size"));
    } else if (mode == "upgrade") {
        load.upgrade(settings.has("rate") ? settings.real("rate") : 0);
    } else {
        require(mode == "hold", "one of the modes echo, post, upgrade and hold");
        load.hold(settings.has("size") ? settings.number("size") : 0);
    }
    return 0;
}
