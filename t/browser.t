#!/usr/bin/perl
# Two people chat in headless Chromium through the gateway.
use strict;
use warnings;

use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::Browser;

run_story('chat.mjs');
