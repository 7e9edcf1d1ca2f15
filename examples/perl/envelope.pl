#!/usr/bin/perl
# A chat room whose members may be renamed while they talk: the context comes with "open", and again when the session has
# changed. Replies are commands.

use Mojolicious::Lite -signatures;
use Mojo::Server::Daemon;

my %clients;
my %names;

sub say_to_all ($text) {
    $_->send({json => {event => 'message', data => $text}}) for values %clients;
}

my %events = (
    open => sub ($id, $envelope) {
        $names{$id} = $envelope->{context}{name};
        say_to_all("$names{$id} came");
    },
    context => sub ($id, $envelope) {
        my $before = $names{$id};
        $names{$id} = $envelope->{context}{name};
        say_to_all("$before is now $names{$id}") if $before ne $names{$id};
    },
    message => sub ($id, $envelope) {
        return $clients{$id}->send({json => {event => 'close', reason => 'goodbye'}}) if $envelope->{data} eq '/quit';
        say_to_all("$names{$id}: $envelope->{data}") if $envelope->{type} eq 'text';
    },
    close => sub ($id, $envelope) { },
);

websocket '/room' => sub ($c) {
    my $id = $c->req->headers->header('X-WS-Connection-Id');
    $clients{$id} = $c;
    $c->inactivity_timeout(0);    # the gateway pings clients, and ends what is idle
    $c->on(json => sub ($c, $envelope) { $events{$envelope->{event}}->($id, $envelope) });
    $c->on(finish => sub { delete $clients{$id}; delete $names{$id} });
};

my $port = $ENV{PORT} // 3000;
my $server = Mojo::Server::Daemon->new(app => app, silent => 1);
$server->listen(['http://127.0.0.1' . ($port ? ":$port" : '')])->start;    # only the gateway talks to us
STDOUT->autoflush;
printf "listening on 127.0.0.1:%d\n", $server->ports->[0];
$server->run;
