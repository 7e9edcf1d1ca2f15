#include "nginx/request_record.h"

#include <utility>

#include "nginx/own_texts.h"
#include "nginx/request_headers.h"
#include "websocket/header_value.h"

namespace ws::nginx {

namespace {

const ngx_http_core_main_conf_t& core_conf(const ngx_http_request_t& r) noexcept {
    return *static_cast<ngx_http_core_main_conf_t*>(ngx_http_get_module_main_conf(&r, ngx_http_core_module));
}

template <class Visit>
void each_text_of(std::vector<ngx_table_elt_t>& lines, Visit visit) {
    for (ngx_table_elt_t& line : lines) {
        visit(line.key.data, line.key.len);
        visit(line.lowcase_key, line.lowcase_key != nullptr ? line.key.len : 0);
        visit(line.value.data, line.value.len);
    }
}

std::vector<ngx_table_elt_t> lines_of(const ngx_list_t& list) {
    std::vector<ngx_table_elt_t> lines;
    for_each_header(list, [&lines](const ngx_table_elt_t& line) {
        lines.push_back(line);
#if (nginx_version >= 1023000)
        lines.back().next = nullptr;
#endif
    });
    lines.shrink_to_fit();
    return lines;
}

const ngx_http_header_t* known(const ngx_http_core_main_conf_t& core, std::string_view lowcase) noexcept {
    auto* name = reinterpret_cast<u_char*>(const_cast<char*>(lowcase.data()));  // not altered: the type is nginx's
    void* found = ngx_hash_find(const_cast<ngx_hash_t*>(&core.headers_in_hash), ngx_hash_key(name, lowcase.size()),
                                name, lowcase.size());
    return static_cast<const ngx_http_header_t*>(found);
}

bool is(const ngx_table_elt_t& line, std::string_view name) noexcept {
    return websocket::same_text(view(line.key), name);
}

// Lines of an answer that may come more than once, for $sent_http_...
#if (nginx_version >= 1023000)
void add_to(ngx_http_request_t&, ngx_table_elt_t*& first, ngx_table_elt_t& line) noexcept {
    ngx_table_elt_t** end = &first;
    while (*end != nullptr) { end = &(*end)->next; }
    *end = &line;
}
#else
void add_to(ngx_http_request_t& r, ngx_array_t& lines, ngx_table_elt_t& line) {
    if (lines.elts == nullptr && ngx_array_init(&lines, r.pool, 1, sizeof(ngx_table_elt_t*)) != NGX_OK) {
        throw std::bad_alloc();
    }
    auto** added = static_cast<ngx_table_elt_t**>(ngx_array_push(&lines));
    if (added == nullptr) { throw std::bad_alloc(); }
    *added = &line;
}
#endif

// nginx's pointers to those lines of its answer that it finds by them.
void note_answer_line(ngx_http_request_t& r, ngx_table_elt_t& line) {
    if (line.hash == 0) { return; }  // taken back
    if (is(line, "cache-control")) { add_to(r, r.headers_out.cache_control, line); }
    if (is(line, "link")) { add_to(r, r.headers_out.link, line); }
}

}  // namespace

RequestRecord::RequestRecord(const ngx_http_request_t& r)
    : main_conf_(r.main_conf),
      srv_conf_(r.srv_conf),
      loc_conf_(r.loc_conf),
      http_connection_(r.http_connection),
      log_handler_(r.log_handler),
      method_(r.method),
      http_version_(r.http_version),
      method_name_(r.method_name),
      http_protocol_(r.http_protocol),
      request_line_(r.request_line),
      uri_(r.uri),
      args_(r.args),
      exten_(r.exten),
      unparsed_uri_(r.unparsed_uri),
      server_(r.headers_in.server),
      valid_unparsed_uri_(r.valid_unparsed_uri),
      pipelined_(r.pipeline),
      start_sec_(r.start_sec),
      start_msec_(r.start_msec),
      request_length_(r.request_length),
      limit_conn_status_(r.limit_conn_status),
      limit_req_status_(r.limit_req_status),
      lines_(lines_of(r.headers_in.headers)) {
    set_variables(r);
    set_captures(r);
    request_texts_ = own_texts([this](auto visit) {
        for (ngx_str_t* text :
             {&method_name_, &http_protocol_, &request_line_, &uri_, &args_, &exten_, &unparsed_uri_, &server_}) {
            visit(text->data, text->len);
        }
        each_text_of(lines_, visit);
#if (NGX_PCRE)
        visit(captured_.data, captured_.len);
#endif
    });
}

void RequestRecord::add_answer(const ngx_http_request_t& r) {
    std::vector<ngx_table_elt_t> lines = lines_of(r.headers_out.headers);
    for (ngx_table_elt_t& line : lines) { line.lowcase_key = nullptr; }  // few set it there
    auto texts = own_texts([&lines](auto visit) { each_text_of(lines, visit); });
    auto upstream = r.upstream != nullptr ? std::make_unique<UpstreamRecord>(r) : nullptr;
    set_variables(r);
    status_ = r.headers_out.status;
    header_size_ = r.header_size;
    answer_lines_ = std::move(lines);
    answer_texts_ = std::move(texts);
    upstream_ = std::move(upstream);
}

void RequestRecord::set_variables(const ngx_http_request_t& r) {
    std::vector<Variable> found = variables_of(r);
    variable_texts_ = own_texts([&found](auto visit) {
        for (Variable& variable : found) { visit(variable.value.data, variable.value.len); }
    });
    variables_ = std::move(found);
}

std::vector<RequestRecord::Variable> RequestRecord::variables_of(const ngx_http_request_t& r) {
    const ngx_array_t& variables = core_conf(r).variables;
    const auto* variable = static_cast<const ngx_http_variable_t*>(variables.elts);
    std::vector<Variable> found;
    for (ngx_uint_t i = 0; i < variables.nelts; ++i) {
        const ngx_http_variable_value_t& value = r.variables[i];
        if ((!value.valid && !value.not_found) || value.no_cacheable) { continue; }
        const bool settable = (variable[i].flags & NGX_HTTP_VAR_CHANGEABLE) != 0 && variable[i].set_handler == nullptr;
        found.push_back({i, settable && value.valid, value});
        if (!value.valid) {
            found.back().value.data = nullptr;
            found.back().value.len = 0;
        }
    }
    found.shrink_to_fit();
    return found;
}

void RequestRecord::set_captures([[maybe_unused]] const ngx_http_request_t& r) {
#if (NGX_PCRE)
    captures_.assign(r.captures, r.captures + r.ncaptures);
    int end = 0;
    for (const int at : captures_) { end = std::max(end, at); }
    captured_ = {static_cast<std::size_t>(end), r.captures_data};
#endif
}

void RequestRecord::set_target(ngx_http_request_t& r) const noexcept {
    r.main_conf = main_conf_;
    r.srv_conf = srv_conf_;
    r.loc_conf = loc_conf_;
    r.log_handler = log_handler_;  // which may hide a token
    r.uri = uri_;
    r.args = args_;
    r.exten = exten_;
    r.unparsed_uri = unparsed_uri_;
    r.valid_unparsed_uri = valid_unparsed_uri_;
    r.headers_in.server = server_;
#if (NGX_PCRE)
    // Only read: the next match has captures of its own.
    r.captures = const_cast<int*>(captures_.data());
    r.ncaptures = captures_.size();
    r.captures_data = captured_.data;
    r.realloc_captures = 1;
#endif
}

void RequestRecord::set_settable_variables(ngx_http_request_t& r) const noexcept {
    for (const Variable& variable : variables_) {
        if (variable.settable) { r.variables[variable.index] = variable.value; }
    }
}

// As nginx does when it has parsed a line. Lines that may come more than once are known by the handler that cookies have; of
// others the first counts. The host has been found already, and its handler would look for the server again.
void RequestRecord::set_lines(ngx_http_request_t& r, std::span<ngx_table_elt_t> lines) {
    const ngx_http_core_main_conf_t& core = core_conf(r);
    const ngx_http_header_t* cookie = known(core, "cookie");
    r.headers_in.headers.part = {lines.data(), lines.size(), nullptr};
    r.headers_in.headers.last = &r.headers_in.headers.part;
    r.headers_in.headers.size = sizeof(ngx_table_elt_t);
    r.headers_in.headers.nalloc = lines.size();
    r.headers_in.headers.pool = r.pool;
    for (ngx_table_elt_t& line : lines) {
        const ngx_http_header_t* header = known(core, {reinterpret_cast<char*>(line.lowcase_key), line.key.len});
        if (header == nullptr) { continue; }
        const bool several = cookie != nullptr && header->handler == cookie->handler;
        auto** first = reinterpret_cast<ngx_table_elt_t**>(reinterpret_cast<u_char*>(&r.headers_in) + header->offset);
        if (!several && *first != nullptr) { continue; }
        if (header->offset == offsetof(ngx_http_headers_in_t, host)) {
            *first = &line;
            continue;
        }
        ++r.count;  // for want of memory the handler closes the request: that shall not end it here
        if (header->handler(&r, &line, header->offset) != NGX_OK) { throw std::bad_alloc(); }
        --r.count;
    }
}

void RequestRecord::restore(ngx_http_request_t& r) {
    set_target(r);
    set_lines(r, lines_);
    for (const Variable& variable : variables_) { r.variables[variable.index] = variable.value; }
    r.method = method_;
    r.http_version = http_version_;
    r.method_name = method_name_;
    r.http_protocol = http_protocol_;
    r.request_line = request_line_;
    r.start_sec = start_sec_;
    r.start_msec = start_msec_;
    r.request_length = request_length_;
    r.limit_conn_status = limit_conn_status_ & 3;
    r.limit_req_status = limit_req_status_ & 7;
    r.valid_location = 1;
    r.pipeline = pipelined_;

    r.header_sent = 1;
    r.header_size = header_size_;
    r.headers_out.status = status_;
    for (const ngx_table_elt_t& line : answer_lines_) {
        auto* added = static_cast<ngx_table_elt_t*>(ngx_list_push(&r.headers_out.headers));
        if (added == nullptr) { throw std::bad_alloc(); }
        *added = line;
        note_answer_line(r, *added);
    }
    if (upstream_ != nullptr) { upstream_->restore(r); }
}

u_char* RequestRecord::write_log(u_char* buffer, std::size_t size) const noexcept {
    ngx_http_request_t r{};
    ngx_http_upstream_t upstream{};
    set_target(r);
    r.request_line = request_line_;
    if (upstream_ != nullptr) {
        upstream_->set_target(upstream);
        r.upstream = &upstream;
    }
    for (const ngx_table_elt_t& line : lines_) {
        ngx_table_elt_t** known = is(line, "host")      ? &r.headers_in.host
                                  : is(line, "referer") ? &r.headers_in.referer
                                                        : nullptr;
        if (known != nullptr && *known == nullptr) { *known = const_cast<ngx_table_elt_t*>(&line); }  // only read
    }
    return log_handler_(&r, &r, buffer, size);
}

}  // namespace ws::nginx
