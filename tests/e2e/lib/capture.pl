#!/usr/bin/perl
# SPDX-License-Identifier: BSD-3-Clause
# Writes every frame of one interface to a pcap file until it is told to stop. Stands in for tcpdump, which cannot give up root
# inside a user namespace; perl-base is on every Debian.   capture.pl INTERFACE FILE
use strict;
use warnings;
use Time::HiRes qw(time);

my ($dev, $file) = @ARGV;
my ($AF_PACKET, $SOCK_RAW, $ETH_P_ALL, $SIOCGIFINDEX, $SOL_SOCKET, $SO_RCVBUFFORCE, $SO_RCVBUF) = (17, 3, 0x0003, 0x8933, 1, 33, 8);

socket(my $s, $AF_PACKET, $SOCK_RAW, unpack('S', pack('n', $ETH_P_ALL))) or die "socket: $!";
setsockopt($s, $SOL_SOCKET, $SO_RCVBUFFORCE, pack('i', 16 << 20)) or setsockopt($s, $SOL_SOCKET, $SO_RCVBUF, pack('i', 16 << 20));
my $req = pack('a16 x24', $dev);
ioctl($s, $SIOCGIFINDEX, $req) or die "$dev: $!";
my $index = unpack('x16 i', $req);
bind($s, pack('S n i S C C a8', $AF_PACKET, $ETH_P_ALL, $index, 0, 0, 0, '')) or die "bind: $!";

open(my $out, '>:raw', $file) or die "$file: $!";
syswrite($out, pack('L S S l L L L', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1));
my $stop = 0;
$SIG{INT} = $SIG{TERM} = sub { $stop = 1 };
syswrite(STDOUT, "listening on $dev\n");
until ($stop) {
    my $mask = '';
    vec($mask, fileno($s), 1) = 1;
    next unless select($mask, undef, undef, 0.2) > 0;
    defined recv($s, my $frame, 262144, 0) or next;
    my $now = time;
    syswrite($out, pack('L L L L', int($now), int(($now - int $now) * 1e6), length $frame, length $frame) . $frame);
}
