# Several redis-servers of one block: a cluster's nodes, or a master with its replica and their sentinels.
package Test::Gateway::RedisGroup;

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Test::Gateway::Process;
use Test::Gateway::Redis;

# Nodes that don't know each other yet: t/lib/redis_group.py makes a cluster of them. `tls`: arguments of redis-server for
# TLS without its port, as sentinels() takes them.
sub cluster {
    my ($dir, $text, @tls) = @_;
    my @arguments = split ' ', $text;
    my $count = @arguments && $arguments[0] =~ /\A\d+\z/ ? shift @arguments : 3;
    my @more = @tls ? (@tls, '--tls-cluster', 'yes') : ();
    return map { member($dir, "node$_", [@more], sub { ('--cluster-enabled', 'yes', '--cluster-port', $_[0], @arguments) }) } 1 .. $count;
}

# A master with its replica, and three sentinels that know it as `main`.
sub sentinels {
    my ($dir, $more, @tls) = @_;
    push @tls, '--tls-replication', 'yes' if @tls;
    my $master = member($dir, 'master', \@tls, sub { ('--repl-diskless-sync-delay', 0) });
    my $port = $master->{tls_port} // $master->{port};
    my $replica = member($dir, 'replica', \@tls, sub { ('--replicaof', '127.0.0.1', $port, '--repl-diskless-sync-delay', 0) },
        qr/sync: Finished with success/);
    my @sentinels = map {
        my $file = "$dir/sentinel$_.conf";
        open my $out, '>', $file or die "$file: $!\n";
        print $out "sentinel monitor main 127.0.0.1 $port 2\nsentinel down-after-milliseconds main 500\n",
            "sentinel failover-timeout main 1000\n$more";
        close $out or die "$file: $!\n";
        member($dir, "sentinel$_", \@tls, sub { $file, '--sentinel' }, qr/\+monitor master/);
    } 1 .. 3;
    return ($master, $replica, @sentinels);
}

# {name}, {port}, {tls_port}, {socket}, {process}. `arguments` is called with another free port.
sub member {
    my ($dir, $name, $tls, $arguments, $ready) = @_;
    $ready //= qr/ready to accept connections/i;
    mkdir "$dir/$name" or die "mkdir $dir/$name: $!\n";
    my $socket = "$dir/$name/redis.sock";
    for (1 .. 20) {
        my ($port, $other, $tls_port) = Test::Gateway::Redis::free_ports(3);
        my @arguments = $arguments->($other);
        my @file = @arguments && $arguments[0] =~ /\.conf\z/ ? shift @arguments : ();
        my $output = "$dir/$name/out";
        my $process = Test::Gateway::Process->start(
            command => ['/usr/bin/redis-server', @file, '--bind', '127.0.0.1', '--port', $port, '--unixsocket', $socket,
                '--dir', "$dir/$name", @file ? () : ('--save', '', '--appendonly', 'no'), @arguments,
                @$tls ? ('--tls-port', $tls_port, @$tls) : ()],
            output => $output,
        );
        return { name => $name, port => $port, tls_port => @$tls ? $tls_port : undef, socket => $socket, process => $process }
            if Test::Gateway::Redis::said($process, $output, $ready);
    }
    die "redis-server $name does not start\n";
}

1;
