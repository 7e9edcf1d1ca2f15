#!/usr/bin/perl
# The live page of ws_status in headless Chromium.
use strict;
use warnings;

use FindBin qw($Bin);
use lib "$Bin/lib";
use Test::Browser;

run_story('status.mjs');
