#include "nginx/context_setters.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "nginx/object.h"
#include "websocket/header_value.h"

namespace ws::nginx {

char* set_select(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.select != nullptr) { return error(cf, "is duplicate"); }
    auto* select = make_object<std::vector<std::string>>(cf->pool);
    for (const ngx_str_t& path : parameters(cf)) {
        if (path.len == 0 || path.data[0] == '$') {
            return wrong_value(cf, view(path), "paths in the session, such as user.id");
        }
        select->emplace_back(view(path));
    }
    conf.select = select;
    return ok();
}

namespace {

std::optional<context::FieldType> field_type(std::string_view name) noexcept {
    if (name == "string") { return context::FieldType::string; }
    if (name == "number") { return context::FieldType::number; }
    if (name == "boolean") { return context::FieldType::boolean; }
    if (name == "json") { return context::FieldType::json; }
    return std::nullopt;
}

// Does it name $ws_session itself, and not another variable whose name begins so?
bool mentions_session(std::string_view text) noexcept {
    static constexpr std::string_view name = "ws_session";
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        const std::string_view before = text.substr(0, at);
        const std::string_view rest = text.substr(at + name.size());
        const bool longer = !rest.empty() && (std::isalnum(static_cast<unsigned char>(rest[0])) != 0 || rest[0] == '_');
        if (!longer && (before.ends_with('$') || before.ends_with("${"))) { return true; }
    }
    return false;
}

// What can be known of a field before there is a session: is its name one, and does a text without variables fit its type?
bool can_be_built(const ContextField& field, std::string_view text) {
    const bool constant = field.value != nullptr && field.value->lengths == nullptr;
    const context::Field known =
        constant ? context::FieldValue{field.name, field.type.value_or(context::FieldType::string), std::string(text)}
                 : context::FieldValue{field.name, context::FieldType::string, {}};
    return context::Recipe{}.build(std::string_view("{}"), std::span(&known, 1)).error == context::BuildError::none;
}

// VALUE of ws_context_field: null, or the error.
char* set_field_value(ngx_conf_t* cf, ContextField& field, const ngx_str_t& text) {
    static constexpr std::string_view session = "$ws_session.";
    const std::string_view value = view(text);
    if (value.starts_with(session)) {
        field.session_path = value.substr(session.size());
        if (field.session_path.empty() || field.session_path.find('$') != std::string::npos) {
            return error(cf, "has a wrong path: it must be like $ws_session.user.id, with nothing else in the value");
        }
        return ok();
    }
    if (mentions_session(value)) { return error(cf, "has a wrong value: $ws_session.PATH must be the whole of it"); }
    field.value = compile(cf, text);
    return field.value != nullptr ? ok() : static_cast<char*>(NGX_CONF_ERROR);
}

}  // namespace

char* add_field(ngx_conf_t* cf, LocationConf& conf) {
    const auto params = parameters(cf);
    ContextField field{std::string(view(params[0])), std::nullopt, {}, nullptr};
    if (params.size() == 3) {
        field.type = field_type(view(params[2]));
        if (!field.type) {
            return error(cf, "has a wrong type \"" + std::string(view(params[2])) +
                                 "\": it must be string, number, boolean or json");
        }
    }
    if (char* result = set_field_value(cf, field, params[1]); result != ok()) { return result; }
    if (field.name.empty() || !can_be_built(field, view(params[1]))) {
        return error(cf, "can't be built: NAME must be a member's name in UTF-8, and VALUE must fit its type");
    }
    // Only this level's list is ever written to: it becomes read-only when levels are merged.
    auto* fields = const_cast<std::vector<ContextField>*>(conf.fields);
    if (fields == nullptr) {
        fields = make_object<std::vector<ContextField>>(cf->pool);
        conf.fields = fields;
    }
    if (std::ranges::any_of(*fields, [&field](const ContextField& f) { return f.name == field.name; })) {
        return error(cf, "sets \"" + field.name + "\" twice");
    }
    fields->push_back(std::move(field));
    return ok();
}

namespace {

// Headers that HTTP, nginx or this module give their own values.
bool is_taken(std::string_view name) {
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    static constexpr std::array<std::string_view, 12> taken{
        "connection", "content-length",    "content-type", "cookie",  "expect",
        "host",       "keep-alive",        "te",           "trailer", "transfer-encoding",
        "upgrade",    "x-ws-connection-id"};
    return std::ranges::find(taken, lower) != taken.end() || lower.starts_with("sec-websocket-");
}

}  // namespace

char* set_header(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.header != nullptr) { return error(cf, "is duplicate"); }
    const auto params = parameters(cf);
    const std::string_view name = view(params[0]);
    if (!websocket::is_token(name) || is_taken(name)) {
        return wrong_value(cf, name, "off, or the name of a header that has no other meaning");
    }
    ContextHeader header{HeaderName(name == "off" ? std::string_view{} : name), HeaderEncoding::json};
    if (params.size() == 2) {
        const std::string_view encoding = view(params[1]);
        if (encoding != "json" && encoding != "base64url") {
            return error(cf, "has a wrong encoding \"" + std::string(encoding) + "\": it must be json or base64url");
        }
        if (encoding == "base64url") { header.encoding = HeaderEncoding::base64url; }
    }
    conf.header = make_object<ContextHeader>(cf->pool, std::move(header));
    return ok();
}

}  // namespace ws::nginx
