// A request of the gateway's own to the content handler of the location that a client's request has come to: proxy_pass,
// fastcgi_pass or whatever answers there. It has no socket: a connection that nginx takes for a client's, and filters that
// keep the reply. It begins at the content phase, so neither access nor limits are asked again, no rewrite leads it elsewhere,
// and nobody outside can make one.
//
// It lives until nginx has finalized it; its owner may go before. The client's connection and its record outlive it, if the owner
// cancels it at the latest when that ends.
#pragma once

#include "nginx/ngx.h"

#include <memory>
#include <string>

#include "relay/requests.h"

namespace ws::nginx {

struct Connection;
class RequestTemplate;

class DetachedRequest final {
public:
    class Owner {
    public:
        // The request is over. From within nginx: takes note of it, and does nothing else. The request is gone afterwards.
        virtual void ended(DetachedRequest& request, relay::HttpReply reply) noexcept = 0;

    protected:
        ~Owner() = default;
    };

    // Throws std::bad_alloc, also when worker_connections are used up.
    [[nodiscard]] static DetachedRequest& make(Connection& parent, const RequestTemplate& parts, relay::HttpEvent event,
                                               std::shared_ptr<const context::Context> context, Owner& owner);
    DetachedRequest(const DetachedRequest&) = delete;
    DetachedRequest& operator=(const DetachedRequest&) = delete;

    // Once. The request may be over when this returns.
    void run() noexcept;

    // Ends it. The owner hears nothing of it any more.
    void cancel() noexcept;

    // The request's, or null if nginx made it for a client. Of the main request, for a subrequest.
    [[nodiscard]] static DetachedRequest* of(const ngx_http_request_t* r) noexcept;

    [[nodiscard]] Connection& parent() const noexcept { return parent_; }
    [[nodiscard]] const relay::HttpEvent& event() const noexcept { return event_; }
    [[nodiscard]] const context::Context& context() const noexcept { return *context_; }

    // For the filters: what nginx would send to a client.
    void take_header();
    [[nodiscard]] ngx_int_t take_body(ngx_chain_t* in);

private:
    // Found by the request's http_connection.
    struct HttpConnection : ngx_http_connection_t {
        DetachedRequest* owner;
    };

    DetachedRequest(Connection& parent, relay::HttpEvent event, std::shared_ptr<const context::Context> context,
                    Owner& owner) noexcept;
    ~DetachedRequest() = default;

    static void on_event(ngx_event_t* event) noexcept;
    static void on_request_ending(void* data) noexcept;
    static void on_request_end(void* data) noexcept;
    static void on_connection_end(void* data) noexcept;

    void make_connection();
    void make_request(const RequestTemplate& parts);
    void set_body();
    void let_end() noexcept;
    [[nodiscard]] bool keep(const ngx_buf_t& buffer);

    Connection& parent_;
    relay::HttpEvent event_;
    std::shared_ptr<const context::Context> context_;
    Owner* owner_;
    ngx_connection_t* c_ = nullptr;
    ngx_http_request_t* r_ = nullptr;
    HttpConnection http_{};
    ngx_log_t log_{};
    ngx_http_log_ctx_t log_context_{};
    ngx_buf_t empty_{};
    relay::HttpReply reply_;
    bool whole_ = false;  // the reply
};

// Puts the filters that keep replies on top of nginx's.
void install_detached_filters() noexcept;

// A handler that makes requests skip what stands between the rewrite and the content phase. For ngx_http_module_t.
[[nodiscard]] ngx_int_t install_detached_phases(ngx_conf_t* cf) noexcept;

}  // namespace ws::nginx
