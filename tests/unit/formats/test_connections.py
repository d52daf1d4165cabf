import pytest

from holdfast.formats.connections import ConnectionRecord, Outcome, parse_connection
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import PersonId

RECORD = ConnectionRecord(
    Instant(1), 2, "2001:db8::1", PersonId("p_00000000000000aa"), "SHA256:x", Outcome.SERVED, 1, 2**60
)


def test_a_record_reads_back_as_it_was_written() -> None:
    assert parse_connection(RECORD.encode()) == RECORD


def test_another_spelling_of_a_record_is_refused() -> None:
    data = RECORD.encode()
    for wrong in (data + b" ", data.replace(b'"v":1', b'"v":2'), data.replace(b"served", b"stolen"), b"{}", b"[]"):
        with pytest.raises(MalformedError):
            parse_connection(wrong)
