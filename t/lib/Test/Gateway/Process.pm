# A child process: started with its own output file, waited for with a limit, killed by its id. None
# outlives the test, whatever ends it.
package Test::Gateway::Process;

use strict;
use warnings;

use Fcntl qw(F_SETFD);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(alarm);

my %alive;

$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);

# command => [...], output => path, inherit => [handles], environment => {...}
sub start {
    my ($class, %option) = @_;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        eval {
            $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
            setpgrp;
            %ENV = (%ENV, %{ $option{environment} // {} });
            fcntl $_, F_SETFD, 0 for @{ $option{inherit} // [] };
            open STDIN, '<', '/dev/null' or die;
            open STDOUT, '>', $option{output} or die;
            open STDERR, '>&', \*STDOUT or die;
            no warnings 'exec';
            exec { $option{command}[0] } @{ $option{command} };
        };
        print STDERR "cannot run $option{command}[0]: $!\n";
        POSIX::_exit(127);
    }
    my $self = bless { pid => $pid }, $class;
    $alive{$pid} = $self;
    return $self;
}

sub signal {
    my ($self, $name) = @_;
    kill $name, $self->{pid} if $alive{ $self->{pid} };
}

# The wait status, undef when the process is still there after so many seconds.
sub wait {
    my ($self, $seconds) = @_;
    if ($alive{ $self->{pid} }) {
        my $gone = eval {
            local $SIG{ALRM} = sub { die "late\n" };
            alarm $seconds;
            my $pid = waitpid $self->{pid}, 0;
            my $status = $?;
            alarm 0;
            $self->{status} = $status if $pid == $self->{pid};
            # One that failed may have left children behind; they are its process group.
            kill 'KILL', -$self->{pid} if $status != 0;
            delete $alive{ $self->{pid} };
            1;
        };
        alarm 0;
        return undef if !$gone;
    }
    return $self->{status};
}

# Ends all that is left: nginx ends its workers on SIGTERM, and what does not listen is killed.
sub stop_all {
    my %option = @_;
    for my $process (values %alive) {
        next if $option{except} && $process == $option{except};
        $process->signal('CONT');
        $process->signal('TERM');
        next if defined $process->wait(5);
        $process->signal('KILL');
        $process->wait(5);
    }
}

1;
