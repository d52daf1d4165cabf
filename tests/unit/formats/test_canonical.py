"""Canonical JSON against RFC 8785, as far as its integers and strings go."""

import pytest

from holdfast.formats.canonical import Json, dump, load, load_object
from holdfast.kernel.errors import MalformedError


def test_names_are_sorted_by_utf16_code_units_as_in_rfc_8785_section_3_2_3() -> None:
    value: dict[str, Json] = {
        "€": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "😀": "Emoji: Grinning Face",
        "\x80": "Control",
        "ö": "Latin Small Letter O With Diaeresis",
    }
    text = dump(value).decode()
    order = ["Carriage Return", "One", "Control", "Latin Small", "Euro Sign", "Emoji", "Hebrew"]
    assert [text.index(name) for name in order] == sorted(text.index(name) for name in order)
    assert load(dump(value)) == value


def test_strings_are_escaped_as_in_rfc_8785_section_3_2_2_2() -> None:
    value = '€$\x0f\nA\'B"\\\\"/'
    assert dump(value) == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()
    assert dump("\b\t\f\r\x1f\x7f\u2028") == b'"\\b\\t\\f\\r\\u001f\x7f\xe2\x80\xa8"'


def test_literals_lists_and_nested_objects_are_written_without_spaces() -> None:
    assert dump({"b": [None, True, False, -0, 2**53 - 1], "a": {"d": (), "c": {}}}) == (
        b'{"a":{"c":{},"d":[]},"b":[null,true,false,0,9007199254740991]}'
    )


@pytest.mark.parametrize("value", [2**53, -(2**53), 1.5, float("nan"), b"x", "\ud800", {1: "x"}, {"a": [object()]}])
def test_what_a_double_or_utf8_does_not_hold_is_refused(value: Json) -> None:
    with pytest.raises(MalformedError):
        dump(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"01",
        b"-0",
        b"1.0",
        b"1e2",
        b"NaN",
        b"9007199254740992",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"[" * 100_000,
        b"1" * 5000,
    ],
)
def test_only_canonical_bytes_are_read(data: bytes) -> None:
    with pytest.raises(MalformedError):
        load(data)


def test_an_object_is_asked_for_and_nothing_else_given() -> None:
    assert load_object(b'{"a":1}') == {"a": 1}
    with pytest.raises(MalformedError):
        load_object(b"[]")
