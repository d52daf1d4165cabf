import pytest

from holdfast.formats.sshoffers import HEADER, SshOffer, packet_length, parse_offer
from holdfast.kernel.errors import MalformedError


def packet(*lists: str, kind: int = 20, padding: int = 4) -> tuple[bytes, bytes]:
    names = b"".join(len(names).to_bytes(4, "big") + names.encode() for names in lists)
    payload = bytes([kind]) + bytes(16) + names
    return (len(payload) + padding + 1).to_bytes(4, "big") + bytes([padding]), payload + bytes(padding)


STRONG = ("curve25519-sha256", "ssh-ed25519", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "hmac-sha2-256", "")


def test_an_offer_lists_both_directions_once() -> None:
    header, rest = packet(*STRONG)
    assert packet_length(header) == len(rest)
    offer = parse_offer(header, rest)
    assert offer.ciphers == ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
    assert (offer.kex, offer.host_keys, offer.macs) == (("curve25519-sha256",), ("ssh-ed25519",), ("hmac-sha2-256",))
    assert offer.weak() == ()


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        ("diffie-hellman-group14-sha1", "diffie-hellman-group14-sha256"),
        ("ssh-rsa", "rsa-sha2-256"),
        ("ssh-rsa-cert-v01@openssh.com", "ssh-ed25519-cert-v01@openssh.com"),
        ("aes256-cbc", "aes256-ctr"),
        ("hmac-sha1-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"),
        ("none", "kex-strict-s-v00@openssh.com"),
    ],
)
def test_what_rests_on_sha1_or_cbc_or_nothing_is_weak(weak: str, strong: str) -> None:
    for at in range(4):
        lists: list[tuple[str, ...]] = [(), (), (), ()]
        lists[at] = (strong, weak)
        assert SshOffer(*lists).weak() == (weak,)


def test_a_packet_that_is_no_kexinit_is_refused() -> None:
    header, rest = packet(*STRONG)
    for bad in (packet(*STRONG, kind=21), (header, rest[:40]), (b"", b""), (header, b""), packet("é", *STRONG[1:])):
        with pytest.raises(MalformedError):
            parse_offer(*bad)
    for length in (0, HEADER, 35_001, 2**32 - 1):
        with pytest.raises(MalformedError):
            packet_length(length.to_bytes(4, "big") + b"\4")
