# Runs the blocks of a t/*.t file against a real nginx, a real Redis and a client script.
#
#     use lib 't/lib';
#     use Test::Gateway;
#     run_tests();
#     __DATA__
#     === TEST 1: a sentence
#     --- redis
#     SET session:abc {"user":"ann"}
#     --- config
#     location / { ... }
#     --- client
#     c, b = tunnel("/", cookie="X-Token=abc")
#
# Sections (`--- name`, then lines; or `--- name: one line`):
#   client        Python; t/lib/script.py says what it has at hand
#   backend       Python, the body of a function of `connection`, run for each connection to the backend
#   redis         commands for the block's Redis, or `none`
#   redis_own     a redis-server for this block only; without it, one for the file, flushed for each block
#   redis_tls     the same, and it speaks TLS on $TEST_REDIS_TLS_PORT; the text is more arguments for redis-server
#   redis_cluster    three nodes for this block, or as many as the text begins with; it goes on with more arguments for them
#   redis_sentinels  a master, its replica, three sentinels; the text is more lines of a sentinel's configuration
#                    t/lib/redis_group.py is for both; with redis_tls they speak TLS, also with each other
#   hosts         lines of an /etc/hosts for nginx alone, by nss_wrapper
#   failing_allocations  a worker's allocations fail when the script says so: t/lib/memory.py
#   config        inside server {};  http_config, events, main_config  at their levels
#   workers       worker_processes, 1 by default
#   log_level     of error.log, info by default
#   error_log, no_error_log      each line must, must not be in error.log; qr/.../ is a regular expression
#   access_log, no_access_log    likewise
#   expect_alert  [alert], [crit] and [emerg] lines that are allowed; when empty, all but a worker's death
#   must_die      `nginx -t` fails; error_log and no_error_log then look at what it says
#   timeout       seconds for the client script, 30 by default
# In configuration and Redis commands:
#   $TEST_REDIS       unix:/... for ws_redis       $TEST_REDIS_PORT  the same Redis by TCP, on 127.0.0.1
#   $TEST_BACKEND     host:port                    $TEST_DIR         the block's directory
#   $TEST_PORT        where server {} listens      $TEST_TLS_PORT    free for a `listen ... ssl`
#   $TEST_CERT, $TEST_CERT_KEY                     $TEST_CLOSED_PORT refuses connections
#   $TEST_REDIS_CLUSTER, $TEST_REDIS_SENTINELS  host:port,host:port,host:port
#   $TEST_CERTIFICATES  a directory: Test::Gateway::Certificates says what is in it
#
# Every block ends with the same checks: nginx quits gracefully with status 0, no alert, no sanitizer
# report, no worker that died. Environment: GATEWAY_NGINX, GATEWAY_MODULE (a .so to load), GATEWAY_LOAD (directives instead), TRICKLE=1,
# ONLY=regex of titles, KEEP=1 keeps the directories, LOG=debug.
package Test::Gateway;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use Fcntl qw(F_SETFD F_SETFL F_GETFL O_NONBLOCK);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;

use Test::Gateway::Blocks qw(read_blocks);
use Test::Gateway::Certificates;
use Test::Gateway::Process;
use Test::Gateway::Redis;
use Test::Gateway::RedisGroup;

our @EXPORT = qw(run_tests);

my $NGINX = $ENV{GATEWAY_NGINX} || '/usr/sbin/nginx';
my $MODULE = $ENV{GATEWAY_MODULE} || '';
my $PYTHON = $ENV{GATEWAY_PYTHON} || '/usr/bin/python3';
my $LIB = dirname(dirname(abs_path(__FILE__)));
my $FAILING = dirname(dirname($LIB)) . '/build/memory/failing_allocations.so';
my $QUIT_SECONDS = 15;

my $REPORT = qr/AddressSanitizer|LeakSanitizer|runtime error:|UndefinedBehaviorSanitizer/;
my $ALARM = qr/\[(?:alert|crit|emerg)\]/;

my ($root, $shared_redis, $certificate, $certificates, %own_value);

# What may be given: further values for configuration and client script, TEST_NAME => 'value'; and sections for the blocks that have
# none of their own, section => 'text'.
sub run_tests {
    my %given = @_;
    %own_value = map { $_ => $given{$_} } grep { /^TEST_/ } keys %given;
    my %common = map { $_ => $given{$_} } grep { !/^TEST_/ } keys %given;
    my @blocks = map { { %common, %$_ } } read_blocks($0);
    if (defined $ENV{ONLY}) {
        @blocks = grep { $_->{title} =~ /$ENV{ONLY}/ } @blocks;
    }

    $| = 1;
    print @blocks ? '1..' . @blocks . "\n" : "1..0 # SKIP no title matches\n";

    $root = tempdir('gateway.XXXXXX', TMPDIR => 1);
    chmod 0755, $root;

    my ($number, $failed) = (0, 0);
    for my $block (@blocks) {
        my $dir = "$root/" . ++$number;
        my @problems = eval { run_block($block, $dir) };
        push @problems, $@ if $@;
        Test::Gateway::Process::stop_all(except => $shared_redis && $shared_redis->{process});

        print @problems ? 'not ok' : 'ok', " $number - $block->{title}\n";
        diagnose($block, $dir, @problems) if @problems;
        $failed++ if @problems;
        remove($dir);
    }
    exit($failed ? 1 : 0);
}

END {
    my $status = $?;
    Test::Gateway::Process::stop_all();
    remove($root) if $root;
    $? = $status;
}

sub remove {
    my $dir = shift;
    if ($ENV{KEEP}) {
        print "# kept: $dir\n" if $dir eq $root;
        return;
    }
    remove_tree($dir);
}

# Returns what went wrong, in words.
sub run_block {
    my ($block, $dir) = @_;
    mkdir $_ or die "mkdir $_: $!\n" for $dir, "$dir/tmp";

    my %socket = map { $_ => bound_socket() } qw(main tls backend closed);
    $socket{$_}->listen(511) for qw(main tls backend);

    my @group = redis_group_of($block, $dir);
    my $redis = @group ? undef : redis_of($block, $dir);
    my %value = (
        %own_value,
        TEST_DIR => $dir,
        TEST_PORT => $socket{main}->sockport,
        TEST_TLS_PORT => $socket{tls}->sockport,
        TEST_BACKEND => '127.0.0.1:' . $socket{backend}->sockport,
        TEST_CLOSED_PORT => $socket{closed}->sockport,
        TEST_REDIS => 'unix:' . ($redis ? $redis->{socket} : "$dir/no-redis.sock"),
        TEST_REDIS_PORT => $redis && $redis->{port},
        TEST_REDIS_TLS_PORT => $redis && $redis->{tls_port},
    );
    $value{TEST_REDIS_GROUP} = join ' ', map { "$_->{name}=$_->{port}=$_->{process}{pid}=$_->{socket}" } @group;
    $value{TEST_REDIS_CLUSTER} = join ',', map { address($_) } grep { $_->{name} =~ /^node/ } @group;
    $value{TEST_REDIS_SENTINELS} = join ',', map { address($_) } grep { $_->{name} =~ /^sentinel/ } @group;
    if ($block->{text} =~ /\$TEST_CERTIFICATES/ || exists $block->{redis_tls}) {
        $value{TEST_CERTIFICATES} = certificates();
    }
    if ($block->{text} =~ /\$TEST_CERT/) {
        @value{qw(TEST_CERT TEST_CERT_KEY)} = certificate();
    }
    write_file("$dir/nginx.conf", configuration($block, \%value));

    return check_refusal($block, $dir) if exists $block->{must_die};

    my $nginx = start_nginx($dir, preloaded($block, $dir), @socket{qw(main tls)});
    close delete $socket{$_} for qw(main tls);

    my @problems = run_client($block, $dir, \%value, $redis, $nginx, $socket{backend});
    return (@problems, check_end($block, $dir, $nginx));
}

sub bound_socket {
    my $socket = IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1', LocalPort => 0)
        or die "no free port: $@\n";
    return $socket;
}

sub redis_of {
    my ($block, $dir) = @_;
    return if ($block->{redis} // '') =~ /\A\s*none\s*\z/;
    return Test::Gateway::Redis->start($dir) if exists $block->{redis_own};
    if (exists $block->{redis_tls}) {
        return Test::Gateway::Redis->start($dir, certificates => certificates(), arguments => [split ' ', $block->{redis_tls}]);
    }
    return $shared_redis //= Test::Gateway::Redis->start($root);
}

sub redis_group_of {
    my ($block, $dir) = @_;
    my @tls = exists $block->{redis_tls}
        ? (Test::Gateway::Redis::tls_arguments(certificates()), split ' ', $block->{redis_tls}) : ();
    return Test::Gateway::RedisGroup::cluster($dir, $block->{redis_cluster}, @tls) if exists $block->{redis_cluster};
    return Test::Gateway::RedisGroup::sentinels($dir, $block->{redis_sentinels}, @tls) if exists $block->{redis_sentinels};
    return;
}

sub address {
    my $member = shift;
    return '127.0.0.1:' . ($member->{tls_port} // $member->{port});
}

sub certificates { return $certificates //= Test::Gateway::Certificates::make("$root/certificates") }

sub certificate {
    my ($cert, $key) = ("$root/cert.pem", "$root/cert.key");
    $certificate //= system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        . " -days 30 -subj /CN=localhost -keyout $key -out $cert >$root/openssl.log 2>&1");
    die "openssl made no certificate\n" if $certificate != 0;
    return ($cert, $key);
}

sub fill_in {
    my ($text, $value) = @_;
    $text =~ s/\$(TEST_\w+)/$value->{$1} \/\/ die "no $1 in this block\n"/ge;
    return $text;
}

sub configuration {
    my ($block, $value) = @_;
    my %part = map { $_ => fill_in($block->{$_} // '', $value) } qw(main_config events http_config config);
    my $dir = $value->{TEST_DIR};
    my $level = $ENV{LOG} || trimmed($block->{log_level} // 'info');
    my $workers = workers($block);
    my $load = $ENV{GATEWAY_LOAD} // ($MODULE ? 'load_module ' . abs_path($MODULE) . ';' : '');
    my $user = $> == 0 ? 'user root root;' : '';
    my $temporary = join "\n    ",
        map { "${_}_temp_path $dir/tmp/$_;" } qw(client_body proxy fastcgi uwsgi scgi);

    return <<"END";
$load
$user
daemon off;
worker_processes $workers;
pid $dir/nginx.pid;
lock_file $dir/nginx.lock;
error_log $dir/error.log $level;
$part{main_config}
events {
    $part{events}
}
http {
    $temporary
    access_log $dir/access.log;
    $part{http_config}
    server {
        listen 127.0.0.1:$value->{TEST_PORT};
        server_name localhost;
        $part{config}
    }
}
END
}

sub workers {
    my $block = shift;
    return trimmed($block->{workers} // '1');
}

# Libraries that are loaded into nginx before all others.
sub preloaded {
    my ($block, $dir) = @_;
    if (exists $block->{hosts}) {
        write_file("$dir/hosts", $block->{hosts});
        return { LD_PRELOAD => 'libnss_wrapper.so', NSS_WRAPPER_HOSTS => "$dir/hosts",
            NSS_WRAPPER_DISABLE_DEEPBIND => 1 };  # which sanitizers don't bear
    }
    if (exists $block->{failing_allocations}) {
        -e $FAILING or die "no $FAILING: make build/memory/failing_allocations.so\n";
        write_file("$dir/orders", "\0" x 4096);
        return { LD_PRELOAD => $FAILING, FAILING_ALLOCATIONS => "$dir/orders" };
    }
    return {};
}

sub nginx_environment {
    my %option = @_;
    my $suppressions = $option{refused} ? 'lsan-refused.supp' : 'lsan.supp';
    return (
        # verify_asan_link_order: what is preloaded comes before it.
        ASAN_OPTIONS => 'detect_odr_violation=0:detect_stack_use_after_return=1:verify_asan_link_order=0',
        UBSAN_OPTIONS => 'print_stacktrace=1',
        LSAN_OPTIONS => "suppressions=$LIB/$suppressions:print_suppressions=0",
    );
}

# The sockets are handed down the way a binary upgrade does it: no port is ever free for somebody else,
# and a connection that comes before nginx is ready waits in the queue.
sub start_nginx {
    my ($dir, $environment, @sockets) = @_;
    fcntl $_, F_SETFL, fcntl($_, F_GETFL, 0) | O_NONBLOCK for @sockets;
    return Test::Gateway::Process->start(
        command => [$NGINX, '-p', $dir, '-e', "$dir/error.log", '-c', "$dir/nginx.conf"],
        output => "$dir/nginx.out",
        inherit => \@sockets,
        environment => { nginx_environment(), %$environment, NGINX => join '', map { fileno($_) . ';' } @sockets },
    );
}

sub run_client {
    my ($block, $dir, $value, $redis, $nginx, $backend) = @_;
    my @sections;
    for my $name (grep { exists $block->{$_} } qw(redis backend client)) {
        my $text = $name eq 'redis' ? fill_in($block->{$name}, $value) : $block->{$name};
        next if $name eq 'redis' && !$redis;
        write_file("$dir/$name.section", $text);
        my $line = $block->{line}{$name} // 1;  # given to run_tests()
        push @sections, "$name=$line:$dir/$name.section";
    }

    my $timeout = trimmed($block->{timeout} // '30');
    my $client = Test::Gateway::Process->start(
        command => [$PYTHON, "$LIB/block.py", $0, @sections],
        output => "$dir/client.out",
        inherit => [$backend],
        environment => {
            (map { $_ => $value->{$_} } grep { defined $value->{$_} } keys %$value),
            TEST_BACKEND_FD => fileno($backend),
            TEST_NGINX_PID => $nginx->{pid},
            TEST_WORKERS => workers($block),
            TEST_REDIS_SOCKET => $redis ? $redis->{socket} : '',
            TEST_REDIS_PID => $redis ? $redis->{process}{pid} : '',
            TEST_REDIS_OWN => exists $block->{redis_own} || exists $block->{redis_tls} ? 1 : '',
            TEST_TIMEOUT => $timeout,
            PYTHONDONTWRITEBYTECODE => '',
            PYTHONPYCACHEPREFIX => "$root/pycache",
        },
    );
    close $backend;

    my $status = $client->wait($timeout + 5);
    return 'the client script did not end' if !defined $status;
    return if $status == 0;
    return "client script, status $status:\n" . read_file("$dir/client.out");
}

sub check_end {
    my ($block, $dir, $nginx) = @_;
    my @problems;

    $nginx->signal('QUIT');
    my $status = $nginx->wait($QUIT_SECONDS);
    if (!defined $status) {
        push @problems, "nginx did not quit gracefully within $QUIT_SECONDS s: a connection was left open?";
        $nginx->signal('TERM');
        $status = $nginx->wait($QUIT_SECONDS) // 'none: killed';
    }
    push @problems, "nginx ended with status $status" if $status ne '0';

    my $log = read_file("$dir/error.log");
    my $output = read_file("$dir/nginx.out");
    push @problems, "nginx said:\n$output" if $output ne '';

    my @lines = split /\n/, $log;
    push @problems, map { "sanitizer: $_" } grep { /$REPORT/ } @lines;

    my @allowed = exists $block->{expect_alert} ? patterns($block->{expect_alert}) : (qr/(?!)/);
    for my $line (grep { /exited with code [1-9]|exited on signal/ } @lines) {
        push @problems, $line if !grep { $line =~ $_ } @allowed;
    }
    for my $line (grep { /$ALARM/ } @lines) {
        push @problems, "in the log: $line" if @allowed && !grep { $line =~ $_ } @allowed;
    }
    push @problems, check_text($block, 'error_log', $log);
    push @problems, check_text($block, 'access_log', read_file("$dir/access.log"));
    return @problems;
}

sub check_refusal {
    my ($block, $dir) = @_;
    my $nginx = Test::Gateway::Process->start(
        command => [$NGINX, '-t', '-p', $dir, '-e', "$dir/error.log", '-c', "$dir/nginx.conf"],
        output => "$dir/nginx.out",
        environment => { nginx_environment(refused => 1) },
    );
    my $status = $nginx->wait($QUIT_SECONDS) // 'none';
    my $output = read_file("$dir/nginx.out");
    return ("nginx -t: status $status, not 1:\n$output")
        if $status ne '256';
    return (
        (map { "sanitizer: $_" } grep { /$REPORT/ } split /\n/, $output),
        check_text($block, 'error_log', $output),
    );
}

sub check_text {
    my ($block, $name, $text) = @_;
    my @problems;
    for my $pattern (patterns($block->{$name} // '')) {
        push @problems, "$name: nothing matches $pattern" if $text !~ $pattern;
    }
    for my $pattern (patterns($block->{"no_$name"} // '')) {
        push @problems, "no_$name: $pattern matches: $&" if $text =~ $pattern;
    }
    return @problems;
}

# One a line: text as it is, or qr/.../ with flags.
sub patterns {
    my @patterns;
    for my $line (map { trimmed($_) } split /\n/, shift) {
        next if $line eq '';
        if ($line =~ m{\Aqr/(.*)/([a-z]*)\z}) {
            push @patterns, qr/(?$2:$1)/ if $2;
            push @patterns, qr/$1/ if !$2;
        } else {
            push @patterns, qr/\Q$line\E/;
        }
    }
    return @patterns;
}

sub diagnose {
    my ($block, $dir, @problems) = @_;
    for my $name (qw(error.log nginx.out)) {
        my @lines = split /\n/, read_file("$dir/$name");
        @lines = @lines[-60 .. -1] if @lines > 60;
        push @problems, join "\n", "--- the end of $name:", @lines if @lines;
    }
    my $text = join "\n", "$0 line $block->{line}{title}: $block->{title}", @problems;
    $text =~ s/^/# /mg;
    print STDERR "$text\n";
}

sub trimmed {
    my $text = shift;
    $text =~ s/\A\s+|\s+\z//g;
    return $text;
}

sub read_file {
    my $path = shift;
    open my $file, '<', $path or return '';
    local $/;
    return <$file> // '';
}

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
}

1;
