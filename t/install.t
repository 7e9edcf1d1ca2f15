# `make install` puts the module where nginx looks for it, also for who hasn't got nginx in his PATH, or into no other place.
use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

plan skip_all => 'needs the dynamic module' if !$ENV{GATEWAY_MODULE};
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
my $dir = tempdir(CLEANUP => 1);

# What is in $dir/$name after an installation with these words and this PATH, and whether it went well.
sub install {
    my ($name, $path, @words) = @_;
    local $ENV{PATH} = $path;
    my $status = system("make install DESTDIR=$dir/$name @words >$dir/$name.log 2>&1");
    my @files = split /\n/, `cd $dir/$name 2>/dev/null && find . -type f`;
    return [$status == 0 ? 'done' : 'refused', @files];
}

my ($configured) = `PATH=\$PATH:/usr/sbin nginx -V 2>&1` =~ /--modules-path=(\S+)/;
(my $users = $ENV{PATH}) =~ s{[^:]*/sbin/?(?::|\z)}{}g;
is_deeply(install('users', $users), ['done', ".$configured/ngx_http_ws_module.so"], 'without sbin in the PATH');
is_deeply(install('named', $users, 'MODULES=/opt/modules'), ['done', './opt/modules/ngx_http_ws_module.so'], 'where one wants it');

mkdir "$dir/bin" or die;
open my $script, '>', "$dir/bin/nginx" or die;
print $script "#!/bin/sh\necho 'nginx version: nginx/1.22.1' >&2\n";
close $script;
chmod 0755, "$dir/bin/nginx";
is_deeply(install('none', "$dir/bin:$users"), ['refused'], 'an nginx that names no directory');

done_testing();
