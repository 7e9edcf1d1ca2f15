#!/usr/bin/perl
# Two people chat in headless Chromium through the gateway: see browser/chat.mjs.
use strict;
use warnings;
use FindBin qw($Bin);

exec 'node', '--test-reporter=tap', "$Bin/browser/chat.mjs" or die "node: $!\n";
