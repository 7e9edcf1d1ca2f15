# What the harness must not let pass: each of these blocks has to fail, and to say why.
use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

delete @ENV{qw(ONLY KEEP)};
my $dir = tempdir(CLEANUP => 1);

# Status and everything said by a test file with these blocks.
sub outcome {
    my $blocks = shift;
    my $path = "$dir/blocks.t";
    open my $file, '>', $path or die;
    print $file "use lib 't/lib';\nuse Test::Gateway;\nrun_tests();\n__DATA__\n$blocks";
    close $file;
    my $said = `$^X $path 2>&1`;
    return ($?, $said);
}

my (@titles, %pattern);
my $blocks = '';

sub fails_with {
    my ($title, $pattern, $block) = @_;
    push @titles, $title;
    $pattern{$title} = $pattern;
    $blocks .= "=== $title\n$block\n";
}

sub refused_with {
    my ($title, $pattern, $blocks) = @_;
    my ($status, $said) = outcome($blocks);
    ok $status != 0 && $said !~ /^ok/m && $said =~ $pattern, $title or diag "status $status:\n$said";
}

fails_with 'a comparison that fails names the line, the expected and the got',
    qr/blocks\.t line \d+: equal\(c\.status, 201\).*expected: 201.*got: +200/s, <<'END';
--- config
location / { return 200; }
--- client
c = get("/")
equal(c.status, 201)
END

fails_with 'a mistake in the script shows a traceback', qr/blocks\.t", line \d+.*NameError/s, <<'END';
--- config
--- client

nonsense()
END

fails_with 'a failure in the backend section', qr/blocks\.t line \d+: equal\(connection\.method, "PUT"\)/, <<'END';
--- config
location / { proxy_pass http://$TEST_BACKEND; }
--- backend
equal(connection.method, "PUT")
--- client
equal(get("/").status, 502)
END

fails_with 'a script that hangs', qr/most recent call first.*blocks\.t", line \d+/s, <<'END';
--- config
--- timeout: 1
--- client
threading.Event().wait()
END

fails_with 'a line that is missing in the log', qr/error_log: nothing matches .*never/, <<'END';
--- config
--- client
pass
--- error_log
never said
END

fails_with 'a line that should not be in the log', qr/no_error_log: .*start worker/, <<'END';
--- config
--- client
pass
--- no_error_log
qr/start worker p\w+/
END

fails_with 'a request that should not be in the access log', qr/no_access_log: .*GET/, <<'END';
--- config
location / { return 200; }
--- client
equal(get("/").status, 200)
--- no_access_log
GET / HTTP
END

fails_with 'a critical line in the log', qr/in the log: .*\[crit\].*missing\.sock/, <<'END';
--- config
location / { proxy_pass http://unix:$TEST_DIR/missing.sock; }
--- client
equal(get("/").status, 502)
END

fails_with 'another alert than the one that is allowed', qr/in the log: .*\[crit\].*missing\.sock/, <<'END';
--- config
location / { proxy_pass http://unix:$TEST_DIR/missing.sock; }
--- client
equal(get("/").status, 502)
--- expect_alert
other.sock
END

fails_with 'a worker that crashes', qr/AddressSanitizer: SEGV|exited on signal 11/, <<'END';
--- config
--- client
before = nginx.worker_pids()
os.kill(before[0], signal.SIGSEGV)
wait_until(lambda: nginx.worker_pids() not in ([], before), "another worker")
END

fails_with 'nginx that does not start', qr/not so: nginx has started.*unknown directive/s, <<'END';
--- config
no_such_directive;
--- client
pass
END

fails_with 'must_die that lives', qr/nginx -t: status 0, not 1/, <<'END';
--- config
--- must_die
--- error_log
anything
END

fails_with 'must_die for another reason', qr/error_log: nothing matches .*other/, <<'END';
--- config
no_such_directive;
--- must_die
--- error_log
other reason
END

fails_with 'a connection to a backend that should have none', qr/expected no connection; got one with/, <<'END';
--- config
location / { proxy_pass http://$TEST_BACKEND; }
--- client
c = get("/")
wait_until(lambda: select.select([backend.sock], [], [], 0)[0])
backend.no_connection()
END

fails_with 'an unmasked frame where a masked one has to be', qr/mask bit of a received frame/, <<'END';
--- config
location / {
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- client
c, b = tunnel("/")
c.send_frame(TEXT, "bare", mask=False)
b.recv_frame()
END

fails_with 'a Redis command that Redis refuses', qr/Redis answered .*ERR/, <<'END';
--- redis
NOSUCH command
--- config
--- client
pass
END

fails_with 'a placeholder that does not exist', qr/no TEST_NOTHING/, <<'END';
--- config
root $TEST_NOTHING;
--- client
pass
END

refused_with 'an unknown section', qr/line 8: there is no section no_eror_log/, <<'END';
=== TEST 1: a title
--- client
pass
--- no_eror_log
x
END

refused_with 'a block that tests nothing', qr/line 5: needs either client or must_die/, <<'END';
=== TEST 1: a title
--- config
END

refused_with 'a section that is there twice', qr/section config is there twice/, <<'END';
=== TEST 1: a title
--- config
--- config
--- client
pass
END

my ($status, $said) = outcome($blocks);
isnt $status, 0, 'the file as a whole fails';
# A result comes with the diagnosis after it.
my @results = split /^(?=(?:not )?ok \d+ - )/m, $said;
shift @results;
for my $title (@titles) {
    my $result = shift @results // '';
    ok $result =~ /\Anot ok \d+ - \Q$title\E\n/ && $result =~ $pattern{$title}, $title
        or diag "wanted $pattern{$title}:\n$result";
}
is @results, 0, 'no other results';
done_testing();
