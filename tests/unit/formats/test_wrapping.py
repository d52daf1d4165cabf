"""Wrapped keys open under their own record and wrapping key, and no other."""

from dataclasses import replace

import pytest

from holdfast.formats import canonical
from holdfast.formats.wrapping import KeyRecord, KeyWrap, commitment
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.instants import Day
from holdfast.kernel.keys import KeyKind
from holdfast.kernel.names import EnvironmentName, KeyId, NodeName, Stream
from holdfast.kernel.secrets import Secret

KEY = Secret(b"k" * 32)
RECORD = KeyRecord(
    KeyId("0f" * 16),
    KeyKind.JOURNAL,
    EnvironmentName("acme/main"),
    Stream.APP,
    Day("2026-11-24"),
    NodeName("n1"),
    1,
    commitment(KEY),
)


def test_a_wrapped_key_opens_under_its_record_only() -> None:
    wrap = KeyWrap(Secret(b"w" * 32))
    wrapped = wrap.wrap(KEY, b"n" * 12, RECORD.additional_data())
    assert wrap.unwrap(wrapped, RECORD.additional_data()) == KEY
    assert KEY.reveal() not in wrapped
    for other in (
        replace(RECORD, environment=EnvironmentName("acme/other")),
        replace(RECORD, stream=None),
        replace(RECORD, day=Day("2026-11-25")),
        replace(RECORD, epoch=2),
    ):
        with pytest.raises(VerificationError, match="wrapped-key"):
            wrap.unwrap(wrapped, other.additional_data())


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:20] + b"\0" + data[21:]]
)
def test_damaged_wrapped_bytes_do_not_open(damage: object) -> None:
    assert callable(damage)
    wrap = KeyWrap(Secret(b"w" * 32))
    wrapped = wrap.wrap(KEY, b"n" * 12, b"")
    with pytest.raises(VerificationError, match="wrapped-key"):
        wrap.unwrap(damage(wrapped), b"")
    with pytest.raises(VerificationError, match="wrapped-key"):
        KeyWrap(Secret(b"x" * 32)).unwrap(wrapped, b"")


@pytest.mark.parametrize("record", [RECORD, replace(RECORD, stream=None, node=None, kind=KeyKind.PSEUDONYM)])
def test_what_a_wrapping_is_bound_to_is_canonical_json(record: KeyRecord) -> None:
    assert canonical.dump(canonical.load(record.additional_data())) == record.additional_data()


def test_a_wrapping_key_is_32_bytes_and_does_not_print() -> None:
    with pytest.raises(MalformedError, match="key-length"):
        KeyWrap(Secret(b"w" * 16))
    assert "www" not in repr(KeyWrap(Secret(b"w" * 32)))
