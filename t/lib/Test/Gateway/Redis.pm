# A redis-server of the test's own: on a unix socket, and on a port of 127.0.0.1.
package Test::Gateway::Redis;

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw(sleep);

use Test::Gateway::Process;

# {socket}, {port}, {process}
sub start {
    my ($class, $dir) = @_;
    my $socket = "$dir/redis.sock";

    # The port is free when it is chosen and may be taken when Redis binds it: then another.
    for (1 .. 20) {
        my $probe = IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1', LocalPort => 0);
        my $port = $probe->sockport;
        close $probe;

        my $output = "$dir/redis.out";
        unlink $output;
        my $process = Test::Gateway::Process->start(
            command => ['/usr/bin/redis-server', '--bind', '127.0.0.1', '--port', $port, '--unixsocket', $socket,
                '--dir', $dir, '--save', '', '--appendonly', 'no', '--enable-debug-command', 'local'],
            output => $output,
        );
        return bless { socket => $socket, port => $port, process => $process }, $class
            if became_ready($process, $output);
    }
    die "redis-server does not start\n";
}

sub became_ready {
    my ($process, $output) = @_;
    for (1 .. 2000) {
        if (open my $file, '<', $output) {
            local $/;
            # Both lines: one for the port, one for the socket.
            return 1 if 2 == (() = (<$file> // '') =~ /ready to accept connections/gi);
        }
        return 0 if defined $process->wait(0.005);
    }
    return 0;
}

1;
