#include "nginx/context_builder.h"

#include <vector>

#include "nginx/worker.h"

namespace ws::nginx {

namespace {

std::vector<context::Field> evaluate(ngx_http_request_t* r, const std::vector<ContextField>& fields) {
    std::vector<context::Field> evaluated;
    for (const ContextField& field : fields) {
        if (field.value == nullptr) {
            evaluated.emplace_back(context::SessionField{field.name, field.session_path, field.type});
            continue;
        }
        ngx_str_t value;
        if (ngx_http_complex_value(r, field.value, &value) != NGX_OK) { throw std::bad_alloc(); }
        evaluated.emplace_back(
            context::FieldValue{field.name, field.type.value_or(context::FieldType::string), std::string(view(value))});
    }
    return evaluated;
}

std::string explain(const context::BuildResult& result) {
    switch (result.error) {
        case context::BuildError::none: break;
        case context::BuildError::not_json: return "session is not JSON";
        case context::BuildError::bad_number: return "session has a number that can't be kept exactly";
        case context::BuildError::not_object: return "session is not a JSON object";
        case context::BuildError::bad_field: return "ws_context_field \"" + result.field + "\" does not fit its type";
        case context::BuildError::too_deep: return "session is nested too deeply";
    }
    return {};
}

}  // namespace

ContextResult build_context(Connection& connection, std::string_view session) {
    const LocationConf& conf = connection.hook_conf != nullptr ? *connection.hook_conf : *connection.conf;
    if (session.size() > conf.max_session_size) { return {nullptr, "session too large (ws_max_session_size)"}; }
    if (conf.fields != nullptr && connection.fields.empty()) {
        connection.fields = evaluate(connection.request, *conf.fields);
    }
    const bool whole = conf.select == nullptr && connection.fields.empty();
    context::RecentContexts& recent = Worker::current()->recent_contexts();
    if (whole) {
        if (auto context = recent.find(session)) { return {std::move(context), {}}; }
    }
    context::Recipe recipe;
    if (conf.select != nullptr) {
        recipe.select_all = false;
        recipe.select = *conf.select;
    }
    const context::BuildResult result = recipe.build(session, connection.fields);
    if (whole && result.context != nullptr) { recent.add(session, result.context); }
    return {result.context, explain(result)};
}

}  // namespace ws::nginx
