// What is kept of a request's upstream while nginx has freed both: for the error log meanwhile, and for the log phase.
#pragma once

#include "nginx/ngx.h"

#include <memory>
#include <vector>

namespace ws::nginx {

class UpstreamRecord {
public:
    // Of a request whose upstream has answered. Throws std::bad_alloc.
    explicit UpstreamRecord(const ngx_http_request_t& r);
    UpstreamRecord(const UpstreamRecord&) = delete;
    UpstreamRecord& operator=(const UpstreamRecord&) = delete;

    // What the backend sends is added here.
    [[nodiscard]] off_t& bytes_received() noexcept { return states_.back().bytes_received; }
    // The connection ends, after so many bytes to the backend.
    void end(off_t sent) noexcept;

    // For another request: the upstream as it is after its end, with those lines of its answer that are not the same in each 101. It
    // borrows from the record. Throws std::bad_alloc.
    void restore(ngx_http_request_t& r);

    // For the error log: where the backend is, and what it was asked for.
    void set_target(ngx_http_upstream_t& upstream) const noexcept;

private:
    ngx_http_upstream_conf_t* conf_;
    ngx_http_upstream_srv_conf_t* upstream_;
    std::unique_ptr<ngx_http_upstream_resolved_t> resolved_;  // with variables in proxy_pass
    ngx_str_t schema_;
    ngx_str_t uri_;
    ngx_msec_t start_time_;
    bool unix_socket_;
    std::vector<ngx_http_upstream_state_t> states_;
    std::vector<ngx_str_t> names_;  // of the states' servers
    std::vector<ngx_table_elt_t> lines_;
    std::unique_ptr<u_char[]> texts_;
};

// Before an upstream goes: finds out what the configuration asks of it, of proxy_pass and of the lines of its answer, so that it is
// known as any other variable is.
void find_upstream_variables(ngx_http_request_t& r) noexcept;

}  // namespace ws::nginx
