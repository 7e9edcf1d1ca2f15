# A redis-server of the test's own: on a unix socket, and on a port of 127.0.0.1, and another by TLS if so wanted.
package Test::Gateway::Redis;

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw(sleep);

use Test::Gateway::Process;

# {socket}, {port}, {tls_port}, {process}. certificates => a directory of Test::Gateway::Certificates: with TLS;
# arguments => [...] of redis-server.
sub start {
    my ($class, $dir, %option) = @_;
    my $socket = "$dir/redis.sock";

    # The port is free when it is chosen and may be taken when Redis binds it: then another.
    for (1 .. 20) {
        my ($port, $tls_port) = free_ports(2);
        my @tls = $option{certificates} ? ('--tls-port', $tls_port, tls_arguments($option{certificates})) : ();

        my $output = "$dir/redis.out";
        unlink $output;
        my $process = Test::Gateway::Process->start(
            command => ['/usr/bin/redis-server', '--bind', '127.0.0.1', '--port', $port, '--unixsocket', $socket,
                '--dir', $dir, '--save', '', '--appendonly', 'no', '--enable-debug-command', 'local',
                @tls, @{ $option{arguments} // [] }],
            output => $output,
        );
        return bless { socket => $socket, port => $port, tls_port => $tls_port, process => $process }, $class
            # Both lines: one for the ports, one for the socket.
            if said($process, $output, qr/(?:ready to accept connections.*){2}/is);
    }
    die "redis-server does not start\n";
}

sub free_ports {
    my $count = shift;
    my @probes = map { IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1', LocalPort => 0) } 1 .. $count;
    return map { $_->sockport } @probes;
}

sub tls_arguments {
    my $certificates = shift;
    return ('--tls-ca-cert-file', "$certificates/ca.pem", '--tls-cert-file', "$certificates/server.pem",
        '--tls-key-file', "$certificates/server.key");
}

# Waits until the process has said that. False when it has ended without.
sub said {
    my ($process, $output, $words) = @_;
    for (1 .. 2000) {
        if (open my $file, '<', $output) {
            local $/;
            return 1 if (<$file> // '') =~ $words;
        }
        return 0 if defined $process->wait(0.005);
    }
    return 0;
}

1;
