# Throw-away certificates: an authority, a server that it vouches for (localhost, redis.test, 127.0.0.1), a client of its,
# and an authority that nobody has heard of.
package Test::Gateway::Certificates;

use strict;
use warnings;

# Makes them in this directory: ca, server, client and stranger, each .pem and .key.
sub make {
    my $dir = shift;
    mkdir $dir or die "mkdir $dir: $!\n";
    certificate($dir, 'ca', '/CN=Test authority');
    certificate($dir, 'stranger', '/CN=Another authority');
    my @signed = ('-CA', "$dir/ca.pem", '-CAkey', "$dir/ca.key", '-addext', 'basicConstraints=CA:FALSE');
    certificate($dir, 'server', '/CN=server', @signed, '-addext', 'subjectAltName=DNS:localhost,DNS:redis.test,IP:127.0.0.1');
    certificate($dir, 'client', '/CN=client', @signed);
    return $dir;
}

sub certificate {
    my ($dir, $name, $subject, @more) = @_;
    my @command = ('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-days', 30, '-subj', $subject, '-keyout', "$dir/$name.key", '-out', "$dir/$name.pem", @more);
    my $log = "$dir/openssl.log";
    open my $stderr, '>&', \*STDERR or die;
    open STDERR, '>>', $log or die "$log: $!\n";
    my $status = system @command;
    open STDERR, '>&', $stderr or die;
    die "openssl made no certificate $name\n" if $status != 0;
}

1;
