# The same random streams, right and wrong ones, through our decoder and through the Receiver of npm ws: both must give the
# same messages, control frames and close codes. Where they don't, %EXPLAINED must know the kind of difference, and why.
#
# Environment: SEED repeats a run, COUNT is the number of streams.
use strict;
use warnings;

use Compress::Raw::Zlib;
use File::Temp qw(tempdir);
use Test::More;

my $SEED = $ENV{SEED} // time;
my $COUNT = $ENV{COUNT} // 4000;
my $OURS = 'build/differential/decode';
my $THEIRS = ['node', 't/differential/decode.js', 'build/examples/node_modules/ws'];
my ($CLIENT, $COMPRESSION, $NO_TAKEOVER) = (1, 2, 4);  # settings, as in decode.cpp

# name => [why, a test of (ours, theirs)]. Both are hashes: `events`, without those at the beginning that both have; `fail`
# is the code. Of ours only: `reason`, and `left`, the bytes of the stream after it; `partial`: the stream ends inside a
# frame. Of theirs only: `final`, when there was a block with BFINAL.
my %EXPLAINED = (
    'early text' => [
        'we fail text at its first wrong byte, ws when the message is complete: control frames, or another fault, or the end of the stream may come first',
        sub { $_[0]{reason} eq 'text is not UTF-8' && !grep { /^(?:text|binary):/ } @{$_[1]{events}} },
    ],
    'early header' => [
        'we fail a header at the byte that shows it, ws after two bytes or with the whole length',
        sub { $_[0]{fail} == 1002 && $_[0]{left} < 14 && none_of($_[1]) },
    ],
    'early fragment' => [
        'we count a fragment when its header is there, ws when it is complete; and ws looks at the length before',
        sub { $_[0]{fail} == 1008 && (none_of($_[1]) || only_fail($_[1], 1009)) },
    ],
    'early deflate' => [
        'we inflate what has arrived of a frame, ws whole frames, so the stream may end first',
        sub { $_[0]{compression} && $_[0]{fail} =~ /1007|1009/ && none_of($_[1]) },
    ],
    'late header' => [
        'ws does without the mask when the length, or the length of a close frame, is wrong already',
        sub { $_[0]{partial} && none_of($_[0]) && $_[1]{fail} =~ /1002|1009/ && @{$_[1]{events}} == 1 },
    ],
    'shortest length' => [
        'RFC 6455 5.2: the minimal number of bytes must be used; ws takes any',
        sub { $_[0]{reason} eq 'frame length not in its shortest form' },
    ],
    'length beyond 2^53' => [
        'a length with its highest bit set breaks the protocol (5.2) before it is too big; to ws, it is a number that JavaScript has not',
        sub { $_[0]{reason} eq 'frame length out of range' && only_fail($_[1], 1009) },
    ],
    'declared length of compressed messages' => [
        'what can not be compressed may be a little longer compressed than the limit for what is inflated; ws refuses that',
        sub { $_[0]{compression} && only_fail($_[1], 1009) },
    ],
    'empty block' => [
        'RFC 7692 7.2.1: a compressed message must end with the header of an empty block; ws takes what came out',
        sub { $_[0]{reason} eq 'compressed message is cut off' },
    ],
    'final block' => [
        'RFC 7692 7.2.3.4 allows BFINAL, and what follows it; ws forgets the window, and the rest of the message',
        sub { $_[1]{final} },
    ],
    'two faults' => [
        'output beyond the limit and corrupt data in one frame: we tell the first, ws what zlib tells at the end of its 16 KiB',
        sub { $_[0]{compression} && $_[0]{fail} == 1009 && only_fail($_[1], 1007) },
    ],
);

sub none_of { !@{$_[0]{events}} }
sub only_fail { @{$_[0]{events}} == 1 && $_[0]{fail} == $_[1] }

# Random streams

sub chance { rand() < $_[0] }
sub pick { $_[rand @_] }
sub bytes { join '', map { chr rand 256 } 1 .. $_[0] }

sub text {
    my ($size) = @_;
    my $text = '';
    $text .= pick('a', 'b c', "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", 'Hello') while length $text < $size;
    return chance(0.1) ? substr($text, 0, $size) : $text;  # cut: seldom UTF-8
}

sub wrong_text { pick("\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80") }

# `first` is FIN, RSV and opcode; `length` how the length is written, 0 for the shortest way.
sub frame {
    my ($settings, $first, $payload, $length) = @_;
    my $n = length $payload;
    $length ||= $n < 126 ? 7 : $n < 65536 ? 16 : 64;
    my $mask = $settings & $CLIENT ? 0x80 : 0;
    my $header = pack 'CC', $first, $mask | ($length == 7 ? $n : $length == 16 ? 126 : 127);
    $header .= pack('n', $n) if $length == 16;
    $header .= pack('Q>', $n) if $length == 64;
    return $header . $payload unless $mask;
    my $key = bytes(4);
    return $header . $key . ($payload ^ substr($key x ($n / 4 + 1), 0, $n));
}

sub control {
    my ($settings) = @_;
    return frame($settings, pick(0x89, 0x8a), bytes(pick(0, 1, 20, 125)));
}

sub close_frame {
    my ($settings) = @_;
    my $code = pick(1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999, 999, 1004, 1005, 1006, 1015, 2000, 5000);
    my $reason = chance(0.2) ? wrong_text() : text(pick(0, 5, 100));
    return frame($settings, 0x88, pick('', "\x03", pack('n', $code), pack('n', $code) . $reason));
}

# A message as its payload and the reserved bits of its first frame.
sub payload {
    my ($settings, $deflate, $opcode, $size) = @_;
    my $payload = $opcode == 1 ? text($size) : chance(0.5) ? bytes($size) : 'x' x $size;
    $payload .= wrong_text() . text(20) if $opcode == 1 && chance(0.05);
    return ($payload, 0) unless $settings & $COMPRESSION && chance(0.8);
    return ("\0", 0x40) if $payload eq '' && chance(0.9);
    return ('', 0x40) if $payload eq '';

    my $out = '';
    if (chance(0.03)) {
        my ($stream) = Compress::Raw::Zlib::Deflate->new(-WindowBits => -15, -AppendOutput => 1);
        $stream->deflate($payload, $out);
        $stream->flush($out, Z_FINISH);
        $out .= "\0" if chance(0.8);
    } else {
        $deflate->deflate($payload, $out);
        $deflate->flush($out, Z_SYNC_FLUSH);
        substr($out, -4) = '';
        $deflate->deflateReset if $settings & $NO_TAKEOVER && chance(0.95);
        substr($out, rand length $out, 1) = bytes(1) if chance(0.05);
    }
    return ($out, 0x40);
}

sub message {
    my ($settings, $deflate) = @_;
    my $opcode = pick(1, 2);
    my $size = pick(0, 1, 5, 124 .. 128, 300, 1000, chance(0.3) ? (1999, 2000, 2001, 5000) : 50);
    my ($payload, $rsv) = payload($settings, $deflate, $opcode, $size);
    my @cuts = sort { $a <=> $b } map { int rand(1 + length $payload) } 1 .. pick(0, 0, 0, 1, 2, 3, 7, chance(0.1) ? 9 : 0);
    my ($stream, $from) = ('', 0);
    for my $cut (@cuts) {
        $stream .= frame($settings, ($from || $stream ne '' ? 0 : $rsv | $opcode), substr($payload, $from, $cut - $from));
        $from = $cut;
        $stream .= control($settings) if chance(0.2);
    }
    return $stream . frame($settings, 0x80 | ($stream ne '' ? 0 : $rsv | $opcode), substr($payload, $from));
}

# A frame that is wrong, or may be where it stands.
sub oddity {
    my ($settings) = @_;
    return pick(
        sub { frame($settings, 0x80 | int rand 128, text(pick(0, 3, 126))) },
        sub { frame($settings, int rand 128, text(3)) },
        sub { frame($settings, 0x82, text(pick(0, 5, 126)), pick(16, 64)) },
        sub { frame($settings ^ $CLIENT, 0x81, 'a') },
        sub { frame($settings, pick(0x88 .. 0x8a), 'p' x 126) },
        sub { pack('CCQ>', 0x82, $settings & $CLIENT ? 255 : 127, pick(2**62, 2**53, 2**31)) . bytes(4) },
        sub { pack('CCQ>', 0x82, $settings & $CLIENT ? 255 : 127, 2**63) . bytes(4) },
        sub { bytes(pick(1, 2, 20)) },
    )->();
}

sub record {
    my $settings = int rand 8;
    my ($deflate) = Compress::Raw::Zlib::Deflate->new(-WindowBits => -15, -AppendOutput => 1, -Level => pick(1, 6, 9));
    my $stream = '';
    for (1 .. 1 + rand 6) {
        $stream .= chance(0.8) ? message($settings, $deflate) : control($settings);
    }
    $stream .= oddity($settings) if chance(0.3);
    $stream .= close_frame($settings) if chance(0.5);
    $stream .= message($settings, $deflate) if chance(0.3);
    if (chance(0.3)) {
        my $at = int rand length $stream;
        pick(sub { substr($stream, $at, 1) ^= chr(1 << rand 8) },
             sub { substr($stream, $at, 1) = '' },
             sub { substr($stream, $at, 0) = bytes(1) },
             sub { substr($stream, $at) = '' })->();
    }
    return {settings => $settings, stream => $stream};
}

# Running and comparing

sub run {
    my ($input, @command) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open STDIN, '<', $input or die "$input: $!";
        exec @command or die "$command[0]: $!";
    }
    chomp(my @lines = <$out>);
    close $out;
    is($?, 0, "$command[0] ends well");
    return @lines;
}

# A line: events, and after tabs what only one side tells.
sub seen {
    my ($line, $record) = @_;
    my ($events, @more) = split /\t/, $line, -1;
    my %seen = (events => [split / /, $events // ''], reason => '', left => 0, fail => 0, partial => 0, final => 0,
                compression => $record->{settings} & $COMPRESSION);
    $seen{pop @more} = 1 if @more && $more[-1] =~ /^(?:partial|final)$/;
    ($seen{reason}, $seen{left}) = ($more[0], length($record->{stream}) - $more[1]) if @more;
    $seen{fail} = $1 if @{$seen{events}} && $seen{events}[-1] =~ /^fail:(\d+)/;
    return \%seen;
}

sub explanation {
    my ($ours, $theirs) = @_;
    while (@{$ours->{events}} && @{$theirs->{events}} && $ours->{events}[0] eq $theirs->{events}[0]) {
        shift @{$ours->{events}};
        shift @{$theirs->{events}};
    }
    return 'same' if none_of($ours) && none_of($theirs);
    for my $name (sort keys %EXPLAINED) {
        return $name if $EXPLAINED{$name}[1]->($ours, $theirs);
    }
    return undef;
}

diag("SEED=$SEED COUNT=$COUNT");
srand $SEED;
my @records = map { record() } 1 .. $COUNT;

my $directory = tempdir(CLEANUP => 1);
open my $file, '>:raw', "$directory/records" or die "$directory: $!";
print $file pack('CCN/a*', $_->{settings}, rand 256, $_->{stream}) for @records;
close $file or die "$directory: $!";

my @ours = run("$directory/records", $OURS);
my @theirs = run("$directory/records", @$THEIRS);
is(scalar @ours, $COUNT, 'our decoder answers each stream');
is(scalar @theirs, $COUNT, 'ws answers each stream');

my (%count, $unexplained);
for my $i (0 .. $#records) {
    my $name = explanation(seen($ours[$i], $records[$i]), seen($theirs[$i], $records[$i]));
    ++$count{$name // 'unexplained'};
    next if defined $name || $unexplained++ >= 5;
    diag("stream $i, settings $records[$i]{settings}: " . unpack('H*', substr $records[$i]{stream}, 0, 2000));
    diag("ours:   $ours[$i]");
    diag("theirs: $theirs[$i]");
}
is($unexplained // 0, 0, 'every difference is explained');
cmp_ok($count{same} // 0, '>', $COUNT / 2, 'most streams are the same to both');
note(sprintf '%6d %s%s', $count{$_}, $_, $EXPLAINED{$_} ? ": $EXPLAINED{$_}[0]" : '') for sort keys %count;
cmp_ok(scalar(grep { /(?:text|binary):\w/ } @ours), '>', $COUNT / 4, 'messages come through');
is(scalar(grep { /(?:text|binary):\w{4001}/ } @ours), 0, 'none is larger than the limit');

done_testing();
