# Reads the blocks of a test file, in Test::Base's format: `=== title`, then sections `--- name`.
# A mistake (an unknown or repeated section, a block that tests nothing) ends the file.
package Test::Gateway::Blocks;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK = qw(read_blocks);

my %KNOWN = map { $_ => 1 } qw(
    client backend redis redis_own redis_tls redis_cluster redis_sentinels hosts failing_allocations config http_config events main_config workers log_level
    error_log no_error_log access_log no_access_log expect_alert must_die timeout
);

# Each block is a hash: section name => text, and `title`, `text` (all of it), `line` (name => the
# number of the first line of that section's text, `title` included).
sub read_blocks {
    my $path = shift;
    open my $file, '<', $path or die "$path: $!\n";

    my (@blocks, $block, $section, $data);
    while (my $line = <$file>) {
        my $at = "$path line $.";
        if (!$data) {
            $data = $line =~ /\A__DATA__$/;
            next;
        }

        if ($line =~ /\A===\s*(.*?)\s*\Z/) {
            die "$at: a block without a title\n" if $1 eq '';
            $block = { title => $1, text => '', line => { title => $. } };
            $section = undef;
            push @blocks, $block;
        } elsif ($line =~ /\A---\s*(\w+)\s*(?::\s*(.*?)\s*)?\Z/) {
            die "$at: a section outside of a block\n" if !$block;
            die "$at: there is no section $1\n" if !$KNOWN{$1};
            die "$at: section $1 is there twice\n" if exists $block->{$1};
            $section = $1;
            $block->{$section} = defined $2 ? "$2\n" : '';
            $block->{line}{$section} = $. + (defined $2 ? 0 : 1);
        } elsif (defined $section) {
            $block->{$section} .= $line;
        } elsif ($line !~ /\A\s*(?:#.*)?\Z/) {
            die "$at: text outside of a section\n";
        }
        $block->{text} .= $line if $block;
    }

    for my $block (@blocks) {
        my $at = "$path line $block->{line}{title}";
        die "$at: needs either client or must_die\n" if exists $block->{client} == exists $block->{must_die};
        for my $name (qw(error_log no_error_log access_log no_access_log client)) {
            die "$at: section $name is empty\n" if exists $block->{$name} && $block->{$name} !~ /\S/;
        }
        die "$at: must_die needs an error_log\n" if exists $block->{must_die} && !exists $block->{error_log};
    }
    die "$path: no blocks\n" if !@blocks;
    return @blocks;
}

1;
