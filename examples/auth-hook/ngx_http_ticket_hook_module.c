/*
 * An auth hook of another module: `ws_auth ticket WAIT [ROOM];`.
 *
 * A ticket is a token NAME.SECONDS: after WAIT its owner is let in as {"name":NAME,"room":ROOM}, for so many seconds, and turned
 * away then. A real hook would ask somebody meanwhile; this one sets a timer, to show what belongs to that.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <ws_auth_hook.h>


typedef struct {
    ws_auth_watch_t   watch;        /* first: the gateway knows no more of it */
    ws_auth_answer_t  answer;
    ngx_event_t       timer;
    ngx_connection_t  no_socket;    /* a timer's event wants one for the debug log */
    ngx_uint_t        let_in;
    ngx_int_t         seconds;
    size_t            len;
    char              session[1];
} ticket_t;


/* The client is gone, or has been turned away: nothing is told any more. */
static void
ticket_end(ws_auth_watch_t *watch)
{
    ticket_t *ticket = (ticket_t *) watch;

    if (ticket->timer.timer_set) {
        ngx_del_timer(&ticket->timer);
    }
    ngx_free(ticket);
}


static void
ticket_timer(ngx_event_t *ev)
{
    ticket_t           *ticket = ((ngx_connection_t *) ev->data)->data;
    ws_auth_verdict_t   verdict;

    ngx_memzero(&verdict, sizeof(verdict));

    if (ticket->let_in) {           /* the second time: the ticket is used up */
        verdict.status = WS_AUTH_DENIED;

    } else {
        ticket->let_in = 1;
        verdict.status = WS_AUTH_ALLOWED;
        verdict.session.len = ticket->len;
        verdict.session.data = ticket->session;
        ngx_add_timer(ev, (ngx_msec_t) ticket->seconds * 1000);
    }

    ticket->answer.tell(ticket->answer.data, &verdict);
}


static ws_auth_watch_t *
ticket_refuse(ws_auth_answer_t answer, const char *why)
{
    ws_auth_verdict_t  verdict;

    ngx_memzero(&verdict, sizeof(verdict));
    verdict.status = WS_AUTH_DENIED;
    verdict.detail.data = why;
    verdict.detail.len = ngx_strlen(why);
    answer.tell(answer.data, &verdict);
    return NULL;
}


static ws_auth_watch_t *
ticket_ask(const ws_auth_question_t *question, ws_auth_answer_t answer)
{
    size_t      i, size;
    u_char     *token = (u_char *) question->token.data, *dot;
    ticket_t   *ticket;
    ngx_int_t   wait, seconds;
    ngx_str_t   room = ngx_null_string;

    wait = ngx_atoi((u_char *) question->arguments[0].data, question->arguments[0].len);
    dot = ngx_strlchr(token, token + question->token.len, '.');
    seconds = dot ? ngx_atoi(dot + 1, token + question->token.len - dot - 1) : NGX_ERROR;
    if (wait == NGX_ERROR || seconds < 1 || seconds > 3600) {
        return ticket_refuse(answer, "no ticket");
    }
    for (i = 0; token + i < dot; i++) {
        if (!(token[i] >= 'a' && token[i] <= 'z')) {     /* so it needs no escapes in JSON */
            return ticket_refuse(answer, "no name on the ticket");
        }
    }
    if (question->narguments > 1) {
        room.data = (u_char *) question->arguments[1].data;
        room.len = question->arguments[1].len;
    }

    size = i + sizeof("{\"name\":\"\",\"room\":\"\"}") + 6 * room.len;
    ticket = ngx_calloc(sizeof(ticket_t) + size, question->request->connection->log);
    if (ticket == NULL) {
        return NULL;                /* without an answer: 503 */
    }
    ticket->len = ngx_sprintf((u_char *) ticket->session, "{\"name\":\"%*s\",\"room\":\"", i, token)
                  - (u_char *) ticket->session;
    ticket->len = (u_char *) ngx_escape_json((u_char *) ticket->session + ticket->len, room.data, room.len)
                  - (u_char *) ticket->session;
    ticket->len = ngx_sprintf((u_char *) ticket->session + ticket->len, "\"}") - (u_char *) ticket->session;
    ticket->watch.end = ticket_end;
    ticket->answer = answer;
    ticket->seconds = seconds;
    ticket->no_socket.fd = (ngx_socket_t) -1;
    ticket->no_socket.data = ticket;
    ticket->timer.data = &ticket->no_socket;
    ticket->timer.handler = ticket_timer;
    ticket->timer.log = ngx_cycle->log;
    ticket->timer.cancelable = 1;
    ngx_add_timer(&ticket->timer, (ngx_msec_t) wait);
    return &ticket->watch;
}


static const ws_auth_hook_t  ticket_hook = {
    WS_AUTH_HOOK_VERSION, 0, "ticket", 1, 2, NULL, ticket_ask
};


static ngx_int_t
ticket_preconfiguration(ngx_conf_t *cf)
{
    return ws_auth_add_hook(cf, &ticket_hook);
}


static ngx_http_module_t  ticket_context = {
    ticket_preconfiguration, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};


ngx_module_t  ngx_http_ticket_hook_module = {
    NGX_MODULE_V1,
    &ticket_context, NULL, NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};
