# The collector's end of a unit's connections: a proxy on the container's own loopback, loaded only where a unit may
# connect at all. It opens nothing itself: what programs ask for travels as frames to the driver, which decides.
package Tunnels;
use strict;
use warnings;
use Errno qw(EINTR EAGAIN);
use Fcntl;
use Socket;

use constant { OPEN => 9, DATA => 10, FINISH => 11, TAKEN => 12 };
use constant { OPENED => 16, REFUSED => 17, DATA_IN => 18, END_IN => 19, TAKEN_IN => 20 };
use constant { HEAD_BYTES => 16384, PIECE => 32768, WINDOW => 262144, CLIENTS => 64 };

my ($listener, $say);
my ($last, %clients) = (0);

sub listen_on {
    my ($port, $say_frame) = @_;
    $say = $say_frame;
    socket($listener, PF_INET, SOCK_STREAM, 0)                     or die "proxy: $!";
    setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, pack('l', 1));
    bind($listener, pack_sockaddr_in($port, inet_aton('127.0.0.1'))) or die "proxy: $!";
    listen($listener, 16)                                          or die "proxy: $!";
    stand_by($listener);
}

sub stand_by {
    my $flags = fcntl($_[0], F_GETFL, 0);
    fcntl($_[0], F_SETFL, $flags | O_NONBLOCK);
}

# state: head (its request is being read), waiting (for the driver's word), open.
# heard: the program will send no more. told: the other side will send no more.
sub take_client {
    accept(my $handle, $listener) or return;
    if (keys %clients >= CLIENTS) { close $handle; return; }
    stand_by($handle);
    $last += 1;
    $clients{$last} = { id => $last, handle => $handle, state => 'head', in => '', out => '', owed => 0, heard => 0, told => 0 };
}

sub wish {
    my ($read, $write) = @_;
    vec($$read, fileno($listener), 1) = 1;
    for my $client (values %clients) {
        my $wants = $client->{state} eq 'head' || ($client->{state} eq 'open' && $client->{owed} < WINDOW);
        vec($$read,  fileno($client->{handle}), 1) = 1 if $wants && !$client->{heard};
        vec($$write, fileno($client->{handle}), 1) = 1 if length $client->{out};
    }
}

sub turn {
    my ($read, $write) = @_;
    for my $client (values %clients) {
        my $number = fileno($client->{handle});
        pass_out($client) if vec($write, $number, 1);
        take_in($client)  if $clients{ $client->{id} } && vec($read, $number, 1);
    }
    take_client() if vec($read, fileno($listener), 1);
}

sub take_in {
    my ($client) = @_;
    my $count = sysread($client->{handle}, my $bytes, PIECE);
    if (!defined $count) { drop($client) if $! != EINTR && $! != EAGAIN; return; }
    if ($count == 0) {
        return drop($client) if $client->{state} eq 'head';
        $client->{heard} = 1;
        $say->(FINISH, pack('N', $client->{id}));
        return forget($client);
    }
    if ($client->{state} eq 'head') {
        $client->{in} .= $bytes;
        return read_head($client);
    }
    send_on($client, $bytes);
}

sub send_on {
    my ($client, $bytes) = @_;
    while (length(my $piece = substr($bytes, 0, PIECE, ''))) {
        $client->{owed} += length $piece;
        $say->(DATA, pack('N a*', $client->{id}, $piece));
    }
}

sub read_head {
    my ($client) = @_;
    my $end = index($client->{in}, "\r\n\r\n");
    if ($end < 0) {
        answer($client, '431 Request Header Fields Too Large', 'too long') if length $client->{in} > HEAD_BYTES;
        return;
    }
    my ($line, @headers) = split /\r\n/, substr($client->{in}, 0, $end);
    my $rest = substr($client->{in}, $end + 4);
    my ($target, $first);
    if ($line =~ m{^CONNECT ([A-Za-z0-9.:\[\]-]{1,270}) HTTP/1\.[01]$}) {
        ($target, $first) = ($1, $rest);
        $client->{connect} = 1;
    }
    elsif ($line =~ m{^([A-Z]{1,20}) http://([A-Za-z0-9.:\[\]-]{1,270})(/\S*)? HTTP/1\.[01]$}) {
        my ($method, $host, $path) = ($1, $2, defined $3 ? $3 : '/');
        $target = $host =~ /:\d+$/ ? $host : "$host:80";
        @headers = grep { !/^(?:proxy-|connection:|keep-alive:)/i } @headers;
        $first = join("\r\n", "$method $path HTTP/1.1", @headers, 'Connection: close', '', '') . $rest;
    }
    else { return answer($client, '400 Bad Request', 'this proxy takes CONNECT and http:// only'); }
    @$client{qw(state in)} = ('waiting', $first);
    $say->(OPEN, pack('N a*', $client->{id}, $target));
}

sub answer {
    my ($client, $status, $text) = @_;
    $client->{out} .= "HTTP/1.1 $status\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n$text\n";
    @$client{qw(state heard told)} = ('open', 1, 1);
    pass_out($client);
}

sub pass_out {
    my ($client) = @_;
    while (length $client->{out}) {
        my $count = syswrite($client->{handle}, $client->{out}, PIECE);
        if (!defined $count) {
            next if $! == EINTR;
            drop($client) if $! != EAGAIN;
            return;
        }
        substr($client->{out}, 0, $count) = '';
        $say->(TAKEN, pack('N N', $client->{id}, $count)) if $client->{tunnel};
    }
    shutdown($client->{handle}, 1) if $client->{told};
    forget($client);
}

# Forgets a client of which both directions have ended and all is written.
sub forget {
    my ($client) = @_;
    return unless $client->{heard} && $client->{told} && !length $client->{out};
    close $client->{handle};
    delete $clients{ $client->{id} };
}

# The program broke the connection off.
sub drop {
    my ($client) = @_;
    $say->(FINISH, pack('N', $client->{id})) if $client->{state} ne 'head' && !$client->{heard};
    close $client->{handle};
    delete $clients{ $client->{id} };
}

sub hear {
    my ($kind, $payload) = @_;
    my ($id, $rest) = unpack('N a*', $payload);
    my $client = $clients{$id} or return;
    if ($kind == OPENED) {
        $client->{state} = 'open';
        my $first = $client->{in};
        $client->{in} = '';
        if ($client->{connect}) { $client->{out} .= "HTTP/1.1 200 Connection established\r\n\r\n"; pass_out($client); }
        $client->{tunnel} = 1;
        send_on($client, $first) if $clients{$id};
    }
    elsif ($kind == REFUSED)  { answer($client, '403 Forbidden', $rest); }
    elsif ($kind == DATA_IN)  { $client->{out} .= $rest; pass_out($client); }
    elsif ($kind == TAKEN_IN) { $client->{owed} -= unpack('N', $rest); }
    elsif ($kind == END_IN) {
        $client->{told} = 1;
        pass_out($client);
    }
}

sub close_all {
    close $_->{handle} for values %clients;
    %clients = ();
}

1;
