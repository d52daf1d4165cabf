"""Messages: length, JSON, errors that come back as they were raised."""

import pytest

from holdfast.formats.messages import MESSAGE_LIMIT, MessageReader, encode, failed, ok, result_of
from holdfast.kernel.errors import BusyError, ConflictError, HoldfastError, MalformedError, RefusedError


def test_messages_come_out_whole_however_they_are_cut() -> None:
    data = encode({"verb": "a", "text": "ä"}) + encode({"verb": "b"})
    reader = MessageReader()
    found = []
    for at in range(len(data)):
        reader.receive(data[at : at + 1])
        message = reader.next_message()
        if message is not None:
            found.append(message)
    assert found == [{"verb": "a", "text": "ä"}, {"verb": "b"}]
    assert reader.between_messages


def test_what_came_before_a_bad_message_is_still_delivered() -> None:
    reader = MessageReader()
    reader.receive(encode({"verb": "a"}) + b"\0\0\0\1{")
    assert reader.next_message() == {"verb": "a"}
    with pytest.raises(MalformedError, match="JSON object"):
        reader.next_message()


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000])
def test_what_is_not_one_json_object_is_refused(body: bytes) -> None:
    reader = MessageReader()
    reader.receive(len(body).to_bytes(4, "big") + body)
    with pytest.raises(MalformedError):
        reader.next_message()


def test_a_message_past_the_limit_is_refused_before_it_is_there() -> None:
    reader = MessageReader()
    reader.receive((MESSAGE_LIMIT + 1).to_bytes(4, "big"))
    with pytest.raises(MalformedError, match="message-size"):
        reader.next_message()


@pytest.mark.parametrize(
    "error",
    [
        BusyError("no-space", "full"),
        ConflictError("name-closed", "closed", name="acme", what="project"),
        RefusedError("policy-denies", "no", count=3),
    ],
)
def test_an_error_comes_back_in_its_family_with_code_and_fields(error: HoldfastError) -> None:
    with pytest.raises(type(error)) as found:
        result_of(failed(error))
    assert (found.value.code, found.value.message, found.value.fields) == (error.code, error.message, error.fields)


@pytest.mark.parametrize(
    "reply", [{}, {"ok": []}, {"ok": {}, "error": {}}, {"error": {"family": "other"}}, {"error": 1}]
)
def test_what_is_not_a_reply_is_refused(reply: dict[str, object]) -> None:
    with pytest.raises(MalformedError, match="reply"):
        result_of(reply)


def test_a_result_comes_back() -> None:
    assert result_of(ok({"keys": []})) == {"keys": []}
