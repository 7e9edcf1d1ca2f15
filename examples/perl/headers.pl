#!/usr/bin/perl
# A chat room. Each client's context came with its upgrade request, checked by the gateway.

use Mojolicious::Lite -signatures;
use Mojo::JSON qw(decode_json);
use Mojo::Server::Daemon;

my %clients;

websocket '/chat' => sub ($c) {
    my $headers = $c->req->headers;
    my $user = decode_json($headers->header('X-WS-Context'))->{user};
    my $id = $headers->header('X-WS-Connection-Id');

    $clients{$id} = $c;
    $c->inactivity_timeout(0);    # the gateway pings clients, and ends what is idle
    $c->on(message => sub ($c, $text) { $_->send("$user->{name}: $text") for values %clients });
    $c->on(finish => sub { delete $clients{$id} });
};

my $port = $ENV{PORT} // 3000;
my $server = Mojo::Server::Daemon->new(app => app, silent => 1);
$server->listen(['http://127.0.0.1' . ($port ? ":$port" : '')])->start;    # only the gateway talks to us
STDOUT->autoflush;
printf "listening on 127.0.0.1:%d\n", $server->ports->[0];
$server->run;
