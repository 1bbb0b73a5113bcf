"""What this server may be made to call: nothing of its own network, however it is spelt."""

import socket
import threading
from contextlib import contextmanager

import pytest

from endcap.core.errors import AddressRefused, BodyTooLarge, CallFailed, ConfigurationError
from endcap.outbound.addresses import PrivateHosts, addresses_of, check_public, target_of
from endcap.outbound.calls import Caller, Limits

NOBODY = PrivateHosts()
QUICK = Limits(seconds=5.0, size=1_000, whole=True)
# Spellings of loopback, private, link-local and metadata addresses, and odd URLs.
TRICKS = """
https://127.0.0.1/ https://127.1/ https://127.0.1/ https://2130706433/ https://0x7f000001/
https://0x7f.0.0.1/ https://0x7F.1/ https://017700000001/ https://0177.0.0.1/ https://0177.0.0.01/
https://127.0.0.1./ https://127.000.000.001/ https://00127.0.0.1/ https://0/ https://0.0.0.0/
https://[::1]/ https://[::]/ https://[0:0:0:0:0:0:0:1]/ https://[::ffff:127.0.0.1]/
https://[::ffff:7f00:1]/ https://[::127.0.0.1]/ https://[64:ff9b::7f00:1]/ https://[2002:7f00:1::]/
https://[2001:0:7f00:1::]/ https://[fe80::1]/ https://[fe80::1%25lo]/ https://[fc00::1]/
https://[fd00:ec2::254]/ https://[ff02::1]/ https://[fec0::1]/ https://[::1%lo]/ https://[100::1]/
https://10.0.0.1/ https://172.16.0.1/ https://172.31.255.255/ https://192.168.1.1/
https://169.254.169.254/latest/meta-data/ https://169.254.170.2/ https://100.100.100.200/
https://100.64.0.1/ https://168.63.129.16/ https://192.0.0.192/ https://198.18.0.1/
https://224.0.0.1/ https://255.255.255.255/ https://240.0.0.1/ https://192.88.99.1/
https://2852039166/ https://0xa9fea9fe/ https://0xa9.0xfe.0xa9.0xfe/ https://0251.0376.0251.0376/
https://169.254.43518/ https://localhost/ https://LOCALHOST/ https://metadata/ https://intranet/
https://public.example@127.0.0.1/ https://127.0.0.1:443@public.example/ https://public.example:22/
https://public.example:6379/ https://public.example:80/ https://public.example:99999/
https://public.example:0x1bb/ http://public.example/ ftp://public.example/ file:///etc/passwd
gopher://127.0.0.1:6379/_ //127.0.0.1/ https:127.0.0.1/ https:///etc/passwd
https://public.example\\@127.0.0.1/ https://public.example#@127.0.0.1/ https://127.0.0.1%2f/
https://%31%32%37.0.0.1/ https://①②⑦.0.0.1/ https://ⓛocalhost/ https://127。0。0。1/
https://public.example%00.127.0.0.1/ https://-public.example/ https://public..example/ https://./
https://[v1.fe80]/ https://[::1]x/ https://[::1 https://0x.0x.0x.0x/ https://1.1.1.1.1/
""".split()
SPACED = ["https://127.0.0.1 /", "https://public.example/\r\nHost: x", "https://a\tb.example/", ""]


def refused(url, lookup):
    try:
        target = target_of(url, NOBODY)
        addresses_of(target, NOBODY, lookup)
    except AddressRefused:
        return True
    return False


def test_no_spelling_of_an_address_of_the_own_network_gets_through():
    asked = []

    def lookup(host, _):
        asked.append(host)
        return ["127.0.0.1"]  # as a resolver does with every odd form of it

    let_through = [url for url in [*TRICKS, *SPACED] if not refused(url, lookup)]
    assert let_through == []
    assert len(TRICKS) + len(SPACED) >= 90
    assert asked == []  # all of them were refused by what they are, before any look-up


def test_public_addresses_get_through():
    public = lambda *_: ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]  # noqa: E731
    for url in (
        "https://hooks.example.com/a?b=c",
        "https://hooks.example.com:8443",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]/",
        "https://xn--bcher-kva.example/",
    ):
        assert not refused(url, public), url
    target = target_of("https://Hooks.example.com:8443/a?b=c", NOBODY)
    assert target == ("https", "hooks.example.com", 8443, "/a?b=c")
    assert target.authority == "hooks.example.com:8443"


@pytest.mark.parametrize("bad", ["10.1.2.3", "::1", "169.254.169.254", "::ffff:8.8.8.8", "fe80::1"])
def test_one_bad_address_among_good_ones_is_enough(bad):
    assert refused("https://hooks.example.com/", lambda *_: ["8.8.8.8", bad])
    assert refused("https://hooks.example.com/", lambda *_: [bad, "8.8.8.8"])


def test_private_hosts_are_those_named_and_only_on_their_port():
    private = PrivateHosts("127.0.0.1:9000, hooks.internal,[::1]:9001")
    for url in ("http://127.0.0.1:9000/", "http://hooks.internal:81/", "http://[::1]:9001/"):
        assert target_of(url, private).scheme == "http"
    for url in ("http://127.0.0.1:9001/", "http://x.hooks.internal/", "https://[::1]/"):
        with pytest.raises(AddressRefused):
            target_of(url, private)
    with pytest.raises(ConfigurationError):
        PrivateHosts("http://127.0.0.1")


def test_every_special_network_is_refused():
    import ipaddress

    tried = 0
    for net in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
        "192.0.2.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 "
        "240.0.0.0/4 ::/128 ::1/128 ::ffff:0:0/96 64:ff9b::/96 100::/64 2001::/32 2001:db8::/32 "
        "2002::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8"
    ).split():
        network = ipaddress.ip_network(net)
        for address in (network[0], network[-1], network[network.num_addresses // 2]):
            with pytest.raises(AddressRefused):
                check_public(address)
            tried += 1
    assert tried == 78


@contextmanager
def canary(answer=b"", drip=0.0):
    """A listener on loopback that counts who connects, and may drip its answer."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    stopped, count = threading.Event(), []

    def serve():
        while not stopped.is_set():
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            count.append(1)
            with peer:
                peer.settimeout(1)
                try:
                    if answer:
                        peer.recv(65_536)
                    for at in range(len(answer)) if drip else ():
                        peer.sendall(answer[at : at + 1])
                        if stopped.wait(drip):
                            break
                    if not drip:
                        peer.sendall(answer)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], count
    finally:
        stopped.set()
        thread.join()
        listener.close()


def test_a_name_that_changes_after_it_was_checked_leads_nowhere():
    """DNS rebinding: public when it is checked, loopback when it is asked for again."""
    with canary() as (port, connected):
        for first in range(40):
            asked = []

            def flips(host, _, asked=asked, first=first):
                asked.append(host)
                # A public address that nobody answers at; from the second look-up on, loopback.
                return ["192.0.2.1"] if len(asked) > 1 else [f"8.8.8.{first}"]

            private = PrivateHosts()
            target = target_of("https://flips.example.com/", private)
            found = addresses_of(target, private, flips)
            assert found == [f"8.8.8.{first}"]
            assert len(asked) == 1
        # The whole call: looked up once, refused, never connected.
        looks = []

        def loopback(host, _):
            looks.append(host)
            return ["127.0.0.1"]

        with pytest.raises(AddressRefused):
            Caller(PrivateHosts(), loopback).get("https://flips.example.com:8443/", QUICK)
        assert len(looks) == 1
        # A host that may be private: what is called is what the one look-up said.
        looks.clear()
        named = PrivateHosts("hook.internal")
        with pytest.raises(CallFailed):
            Caller(named, loopback).get(f"http://hook.internal:{port}/", QUICK)
        assert len(looks) == 1
        assert len(connected) == 1


def test_redirects_are_not_followed():
    with canary() as (port, connected):
        answer = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\n\r\n".encode()
        with canary(answer) as (first, _):
            reply = Caller(PrivateHosts(f"127.0.0.1:{first}")).get(
                f"http://127.0.0.1:{first}/", QUICK
            )
        assert reply.status == 302
        assert connected == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000, BodyTooLarge),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 5_000, BodyTooLarge),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + b"x" * 5_000, BodyTooLarge),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx", CallFailed),
        (b"\x00\x01nonsense\r\n\r\n", CallFailed),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500 + b"\r\n", CallFailed),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", CallFailed),
    ],
    ids=range(7),
)
def test_hostile_answers_end_in_a_problem(answer, problem):
    with canary(answer) as (port, _), pytest.raises(problem):
        Caller(PrivateHosts(f"127.0.0.1:{port}")).get(f"http://127.0.0.1:{port}/", QUICK)


def test_an_answer_that_drips_is_cut():
    limits = Limits(seconds=0.5, size=10_000, whole=True)
    for answer in (
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 90,
        b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 900,
    ):
        with canary(answer, drip=0.05) as (port, _), pytest.raises(CallFailed, match="within"):
            Caller(PrivateHosts(f"127.0.0.1:{port}")).get(f"http://127.0.0.1:{port}/", limits)
