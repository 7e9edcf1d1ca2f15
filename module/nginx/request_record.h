// What is kept of a client's request, so that others can be made in its likeness while nginx has freed it: those of the
// connection's events, and in the end the request itself, for the log phase. All that nginx and its modules have found for the
// request by then is in it, in memory of its own.
#pragma once

#include "nginx/ngx.h"

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "nginx/upstream_record.h"

namespace ws::nginx {

class RequestRecord {
public:
    // Throws std::bad_alloc.
    explicit RequestRecord(const ngx_http_request_t& r);
    RequestRecord(const RequestRecord&) = delete;
    RequestRecord& operator=(const RequestRecord&) = delete;

    // The answer has been sent: adds it, and what has been found on the way. Throws std::bad_alloc, and is as it was then.
    void add_answer(const ngx_http_request_t& r);

    // For another request: where it has come to, and what was asked for there. It borrows from the record.
    void set_target(ngx_http_request_t& r) const noexcept;

    // For another request: what `set`, auth_request_set, map and their like have found.
    void set_settable_variables(ngx_http_request_t& r) const noexcept;

    // For another request, which has no lines yet: these lines, which are to last as long as it does, and nginx's pointers to those that
    // it knows. Throws std::bad_alloc.
    static void set_lines(ngx_http_request_t& r, std::span<ngx_table_elt_t> lines);

    // Makes a request of nginx's into this one. It borrows from the record. Throws std::bad_alloc.
    void restore(ngx_http_request_t& r);

    // What the error log says of the request: nginx's log_handler, of a request that isn't there.
    [[nodiscard]] u_char* write_log(u_char* buffer, std::size_t size) const noexcept;

    // As the location's content handler would have seen them.
    [[nodiscard]] std::span<const ngx_table_elt_t> lines() const noexcept { return lines_; }
    [[nodiscard]] std::string_view uri() const noexcept { return view(uri_); }
    [[nodiscard]] void** srv_conf() const noexcept { return srv_conf_; }
    [[nodiscard]] ngx_http_connection_t* http_connection() const noexcept { return http_connection_; }
    // Null: the request had none when its answer was sent.
    [[nodiscard]] UpstreamRecord* upstream() const noexcept { return upstream_.get(); }

private:
    struct Variable {
        ngx_uint_t index;
        bool settable;
        ngx_http_variable_value_t value;
    };

    [[nodiscard]] static std::vector<Variable> variables_of(const ngx_http_request_t& r);
    void set_variables(const ngx_http_request_t& r);
    void set_captures(const ngx_http_request_t& r);

    void** main_conf_;
    void** srv_conf_;
    void** loc_conf_;
    ngx_http_connection_t* http_connection_;
    ngx_http_log_handler_pt log_handler_;

    ngx_uint_t method_;
    ngx_uint_t http_version_;
    ngx_str_t method_name_;
    ngx_str_t http_protocol_;
    ngx_str_t request_line_;
    ngx_str_t uri_;
    ngx_str_t args_;
    ngx_str_t exten_;
    ngx_str_t unparsed_uri_;
    ngx_str_t server_;
    bool valid_unparsed_uri_;
    bool pipelined_;

    time_t start_sec_;
    ngx_msec_t start_msec_;
    off_t request_length_;
    std::size_t header_size_ = 0;  // of the answer
    ngx_uint_t status_ = 0;
    ngx_uint_t limit_conn_status_;
    ngx_uint_t limit_req_status_;

    std::vector<ngx_table_elt_t> lines_;
    std::vector<Variable> variables_;
#if (NGX_PCRE)
    std::vector<int> captures_;
    ngx_str_t captured_{};
#endif
    std::vector<ngx_table_elt_t> answer_lines_;
    std::unique_ptr<u_char[]> request_texts_;
    std::unique_ptr<u_char[]> variable_texts_;
    std::unique_ptr<u_char[]> answer_texts_;
    std::unique_ptr<UpstreamRecord> upstream_;
};

}  // namespace ws::nginx
