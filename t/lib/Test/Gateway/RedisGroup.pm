# Several redis-servers of one block: a cluster's nodes, or a master with its replica and their sentinels.
package Test::Gateway::RedisGroup;

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Test::Gateway::Process;
use Test::Gateway::Redis;

# Three nodes that don't know each other yet: t/lib/redis_group.py makes a cluster of them.
sub cluster {
    my ($dir, @arguments) = @_;
    return map { member($dir, "node$_", sub { ('--cluster-enabled', 'yes', '--cluster-port', $_[1], @arguments) }) } 1 .. 3;
}

# A master with its replica, and three sentinels that know it as `main`.
sub sentinels {
    my ($dir, $more) = @_;
    my $master = member($dir, 'master', sub { ('--repl-diskless-sync-delay', 0) });
    my $replica = member($dir, 'replica', sub { ('--replicaof', '127.0.0.1', $master->{port}, '--repl-diskless-sync-delay', 0) },
        qr/sync: Finished with success/);
    my @sentinels = map {
        my $file = "$dir/sentinel$_.conf";
        open my $out, '>', $file or die "$file: $!\n";
        print $out "sentinel monitor main 127.0.0.1 $master->{port} 2\nsentinel down-after-milliseconds main 500\n",
            "sentinel failover-timeout main 1000\n$more";
        close $out or die "$file: $!\n";
        member($dir, "sentinel$_", sub { $file, '--sentinel' }, qr/\+monitor master/);
    } 1 .. 3;
    return ($master, $replica, @sentinels);
}

# {name}, {port}, {socket}, {process}. `arguments` is called with the port and another one.
sub member {
    my ($dir, $name, $arguments, $ready) = @_;
    $ready //= qr/ready to accept connections/i;
    mkdir "$dir/$name" or die "mkdir $dir/$name: $!\n";
    my $socket = "$dir/$name/redis.sock";
    for (1 .. 20) {
        my ($port, $other) = Test::Gateway::Redis::free_ports(2);
        my @arguments = $arguments->($port, $other);
        my @file = @arguments && $arguments[0] =~ /\.conf\z/ ? shift @arguments : ();
        my $output = "$dir/$name/out";
        my $process = Test::Gateway::Process->start(
            command => ['/usr/bin/redis-server', @file, '--bind', '127.0.0.1', '--port', $port, '--unixsocket', $socket,
                '--dir', "$dir/$name", @file ? () : ('--save', '', '--appendonly', 'no'), @arguments],
            output => $output,
        );
        return { name => $name, port => $port, socket => $socket, process => $process }
            if Test::Gateway::Redis::said($process, $output, $ready);
    }
    die "redis-server $name does not start\n";
}

1;
