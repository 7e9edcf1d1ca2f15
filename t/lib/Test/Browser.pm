# Runs a story of t/browser in Node, which prints the TAP. This part makes sure that nothing is left behind, whatever ends
# the test: all processes are one group, all temporary files in one directory.
package Test::Browser;

use strict;
use warnings;

use Exporter qw(import);
use File::Temp qw(tempdir);
use FindBin qw($Bin);
use POSIX qw(:sys_wait_h);

our @EXPORT = qw(run_story);

my $LEAVE_SECONDS = 15;

sub run_story {
    my $script = shift;
    my $dir = tempdir('ws-browser.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;  # nginx's workers may run as another user

    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        setpgrp;
        $ENV{$_} = $dir for qw(TMPDIR HOME XDG_CONFIG_HOME XDG_CACHE_HOME);
        exec 'node', "$Bin/browser/$script" or die "node: $!\n";
    }
    $SIG{$_} = sub { kill TERM => -$pid } for qw(INT TERM HUP);

    1 while waitpid($pid, 0) != $pid && $!{EINTR};
    my $status = $?;

    kill TERM => -$pid;
    for (1 .. $LEAVE_SECONDS * 20) {
        last if !kill 0 => -$pid;
        select undef, undef, undef, 0.05;
    }
    kill KILL => -$pid;
    exit(WIFEXITED($status) ? WEXITSTATUS($status) : 1);
}

1;
