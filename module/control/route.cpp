#include "control/route.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "context/percent_encoding.h"
#include "control/answer.h"
#include "control/body.h"

namespace ws::control {

namespace {

using Result = std::variant<Request, Refusal>;

constexpr std::string_view context_prefix = "context.";

Refusal wrong(std::string detail) { return {status::bad_request, std::move(detail)}; }

Refusal nothing_here() { return {status::not_found, "there is nothing here"}; }

struct Parameter {
    std::string name;
    std::string value;
};

// As forms are encoded: "+" is a blank.
std::optional<std::string> decoded(std::string_view text) {
    std::string form(text);
    std::ranges::replace(form, '+', ' ');
    return context::percent_decoded(form);
}

// The arguments, each once; or what is wrong with them.
std::variant<std::vector<Parameter>, Refusal> parameters(std::string_view query) {
    std::vector<Parameter> found;
    std::set<std::string> names;
    while (!query.empty()) {
        const std::string_view argument = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(argument.size() + 1, query.size()));
        if (argument.empty()) { continue; }
        const std::size_t equals = std::min(argument.find('='), argument.size());
        auto name = decoded(argument.substr(0, equals));
        auto value = decoded(argument.substr(std::min(equals + 1, argument.size())));
        if (!name || !value) { return wrong("an argument is not percent-encoded"); }
        if (!names.insert(*name).second) { return wrong("an argument is there twice"); }
        found.push_back({*std::move(name), *std::move(value)});
    }
    return found;
}

// Takes what the arguments say, if they may be there.
class Arguments {
public:
    Selection* selection = nullptr;
    List* list = nullptr;
    context::CloseCommand* close = nullptr;

    std::optional<Refusal> take(std::string_view query) {
        auto parsed = parameters(query);
        if (auto* refusal = std::get_if<Refusal>(&parsed)) { return std::move(*refusal); }
        for (Parameter& parameter : std::get<0>(parsed)) {
            if (auto refusal = take(parameter)) { return refusal; }
        }
        if (close != nullptr && !may_close_with(*close)) {
            return wrong("reason has to be UTF-8 of at most 123 bytes");
        }
        return std::nullopt;
    }

private:
    std::optional<Refusal> take(Parameter& parameter) {
        if (selection != nullptr && parameter.name == "session") { return take_session(parameter); }
        if (selection != nullptr && parameter.name.starts_with(context_prefix)) { return take_filter(parameter); }
        if (list != nullptr && parameter.name == "limit") { return take_limit(parameter.value); }
        if (list != nullptr && parameter.name == "after") {
            if (!is_id(parameter.value)) { return wrong("after has to be a connection id"); }
            list->after = std::move(parameter.value);
            return std::nullopt;
        }
        if (close != nullptr && parameter.name == "code") { return take_code(parameter.value); }
        if (close != nullptr && parameter.name == "reason") {
            close->reason = std::move(parameter.value);
            return std::nullopt;
        }
        return wrong("there is no such argument here");
    }
    std::optional<Refusal> take_session(Parameter& parameter) {
        if (!is_session_name(parameter.value)) {
            return wrong("session has to be the SHA-256 of a token, 64 hexadecimal digits in lower case");
        }
        selection->session = std::move(parameter.value);
        return std::nullopt;
    }
    std::optional<Refusal> take_filter(Parameter& parameter) {
        if (selection->filters.size() == max_filters) { return wrong("too many fields of the context"); }
        std::string path = parameter.name.substr(context_prefix.size());
        if (path.empty()) { return wrong("context. needs a path"); }
        selection->filters.push_back({std::move(path), std::move(parameter.value)});
        return std::nullopt;
    }
    std::optional<Refusal> take_limit(std::string_view text) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), list->limit);
        if (error != std::errc() || end != text.data() + text.size() || list->limit < 1 || list->limit > max_limit) {
            return wrong("limit has to be a number from 1 to 1000");
        }
        return std::nullopt;
    }
    std::optional<Refusal> take_code(std::string_view text) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), close->code);
        if (error != std::errc() || end != text.data() + text.size() || !may_close_with({close->code, {}})) {
            return wrong("code has to be one that may be sent: 1000-1003, 1007-1014, 3000-4999");
        }
        return std::nullopt;
    }
};

Result with(Request request, std::optional<Refusal> refusal) {
    if (refusal) { return *std::move(refusal); }
    return request;
}

Refusal not_allowed(std::string_view allow) {
    return {status::not_allowed, "the method is not one of these: " + std::string(allow), allow};
}

bool is_get(std::string_view method) noexcept { return method == "GET" || method == "HEAD"; }

Result route_all(const Call& call) {
    Arguments arguments;
    if (is_get(call.method)) {
        List list;
        arguments.list = &list;
        arguments.selection = &list.selection;
        auto refusal = arguments.take(call.query);
        return with(std::move(list), std::move(refusal));
    }
    if (call.method != "DELETE") { return not_allowed("GET, HEAD, DELETE"); }
    CloseAll all;
    arguments.close = &all.close;
    arguments.selection = &all.selection;
    auto refusal = arguments.take(call.query);
    if (!refusal && all.selection.empty()) {
        refusal = wrong("closing all connections is not offered: name a session, or a field of the context");
    }
    return with(std::move(all), std::move(refusal));
}

Result route_one(const Call& call, std::string id) {
    Arguments arguments;
    if (is_get(call.method)) { return with(Look{std::move(id)}, arguments.take(call.query)); }
    if (call.method != "DELETE") { return not_allowed("GET, HEAD, DELETE"); }
    context::CloseCommand close;
    arguments.close = &close;
    auto refusal = arguments.take(call.query);
    return with(Act{std::move(id), std::move(close)}, std::move(refusal));
}

// The type without its parameters, in lower case.
std::string media_type(std::string_view value) {
    std::string type(value.substr(0, value.find(';')));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) { type.pop_back(); }
    std::ranges::transform(type, type.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return type;
}

Result route_message(const Call& call, std::string id) {
    if (call.method != "POST") { return not_allowed("POST"); }
    const std::string type = media_type(call.content_type);
    Act act{std::move(id), context::MessageCommand{}};
    if (type == "application/octet-stream") {
        std::get<context::MessageCommand>(act.command).type = context::MessageType::binary;
    } else if (type != "text/plain" && type != "application/json") {
        return Refusal{status::unsupported_type,
                       "Content-Type has to be text/plain or application/json for a text message, or "
                       "application/octet-stream for a binary one"};
    }
    return with(std::move(act), Arguments{}.take(call.query));
}

Result route_context(const Call& call, std::string id) {
    if (call.method != "PATCH") { return not_allowed("PATCH"); }
    if (media_type(call.content_type) != "application/merge-patch+json") {
        return Refusal{status::unsupported_type, "Content-Type has to be application/merge-patch+json (RFC 7396)"};
    }
    return with(Act{std::move(id), context::ContextCommand{}}, Arguments{}.take(call.query));
}

}  // namespace

Result route(const Call& call) {
    static constexpr std::string_view connections = "/connections";
    std::string_view path = call.path;
    if (!path.starts_with(connections)) { return nothing_here(); }
    path.remove_prefix(connections.size());
    if (path.empty()) { return route_all(call); }
    if (path.front() != '/') { return nothing_here(); }
    path.remove_prefix(1);
    const std::string_view id = path.substr(0, path.find('/'));
    const std::string_view rest = path.substr(id.size());
    if (!rest.empty() && rest != "/messages" && rest != "/context") { return nothing_here(); }
    if (!is_id(id)) { return Refusal{status::not_found, "a connection id has 32 hexadecimal digits"}; }
    if (rest.empty()) { return route_one(call, std::string(id)); }
    return rest == "/messages" ? route_message(call, std::string(id)) : route_context(call, std::string(id));
}

bool wants_body(const Request& request) noexcept {
    const auto* act = std::get_if<Act>(&request);
    return act != nullptr && !std::holds_alternative<context::CloseCommand>(act->command);
}

std::string& body(Act& act) noexcept {
    if (auto* message = std::get_if<context::MessageCommand>(&act.command)) { return message->data; }
    return std::get<context::ContextCommand>(act.command).merge_patch;
}

}  // namespace ws::control
