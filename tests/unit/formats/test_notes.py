"""Signed notes against the examples of golang.org/x/mod/sumdb/note and C2SP signed-note."""

import pytest

from holdfast.formats.notes import open_note, parse_note, parse_signing_key, parse_vkey, sign_note, signer
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.secrets import Secret

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SIGNING = b"PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
NOTE = (TEXT + "\n" + PETER_LINE).encode()
QUASIMODO = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()


def test_gos_example_key_signs_gos_example_note() -> None:
    peter = parse_signing_key(Secret(PETER_SIGNING))
    assert sign_note(TEXT, [peter]) == NOTE
    assert peter.verifier().vkey() == PETER
    assert peter.encode() == Secret(PETER_SIGNING)


def test_gos_example_note_is_verified_by_gos_example_key() -> None:
    note = open_note(NOTE, [parse_vkey(PETER)])
    assert note.text == TEXT
    assert [(s.name, s.key_id.hex()) for s in note.signatures] == [("PeterNeumann", "c74f20a3")]


def test_a_second_signature_is_added_as_go_adds_it() -> None:
    enoch = signer("EnochRoot", bytes(32))
    assert enoch.verifier().vkey() == ENOCH
    twice = sign_note(TEXT, [enoch], parse_note(NOTE).signatures)
    assert twice == NOTE + ENOCH_LINE.encode()
    assert sign_note(TEXT, [enoch], parse_note(twice).signatures) == twice
    assert len(open_note(twice, [parse_vkey(PETER), parse_vkey(ENOCH)]).signatures) == 2
    assert len(open_note(twice, [parse_vkey(ENOCH)]).signatures) == 1


@pytest.mark.parametrize(
    "text",
    [
        PETER,
        ENOCH,
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
    ],
)
def test_the_verifier_keys_of_others_read_and_are_written_alike(text: str) -> None:
    assert parse_vkey(text).vkey() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann+c74f20a3",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("Peter", "Peter "),
        PETER + "\n",
        PETER + "A",
        PETER[:-1] + "X",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_verifier_key_that_is_not_quite_one_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_vkey(text)


@pytest.mark.parametrize(
    "text", [b"", PETER_SIGNING[8:], PETER_SIGNING + b"\n\n", PETER_SIGNING[:-1], PETER_SIGNING.replace(b"c7", b"c8")]
)
def test_a_signing_key_that_is_not_quite_one_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_signing_key(Secret(text))


def test_a_notes_text_reaches_to_its_last_empty_line() -> None:
    note = parse_note(QUASIMODO)
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert note.signatures[0].name == "quasimodo.example/salvatore"
    assert note.signatures[0].key_id.hex() == "367ba04b"
    assert note.encode() == QUASIMODO


def test_unknown_signatures_are_ignored_even_of_a_known_name() -> None:
    unknown = ENOCH_LINE.replace("EnochRoot", "PeterNeumann")
    assert len(open_note(NOTE + unknown.encode(), [parse_vkey(PETER)]).signatures) == 1
    with pytest.raises(VerificationError, match="note-unverified"):
        open_note((TEXT + "\n" + unknown).encode(), [parse_vkey(PETER)])


def test_one_wrong_signature_of_a_known_key_condemns_the_note() -> None:
    with pytest.raises(VerificationError, match="note-signature"):
        open_note(NOTE.replace(b"If you", b"If we"), [parse_vkey(PETER)])
    twice = NOTE + ENOCH_LINE.replace("+AQ", "+BQ").replace("zmZa", "zmZb").encode()
    with pytest.raises(VerificationError, match="note-signature"):
        open_note(twice, [parse_vkey(PETER), parse_vkey(ENOCH)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        TEXT.encode(),
        TEXT.encode() + b"\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace(b"\n", b"\r\n"),
        NOTE.replace(b"answer", b"ans\x00er"),
        NOTE.replace(b"answer", b"ans\xffer"),
        NOTE.replace("—".encode(), b"-"),
        NOTE.replace(b"nAM=", b"nAN="),
        NOTE.replace(b"nAM=", b"nAM"),
        NOTE.replace(b"PeterNeumann ", b"Peter+Neumann "),
        NOTE.replace(b"PeterNeumann ", b" "),
        NOTE.replace(b"PeterNeumann ", "Peter\u2003Neumann ".encode()),
        (TEXT + "\n— short AAAA\n").encode(),
        (TEXT + "\n" + PETER_LINE * 101).encode(),
        b"a" * 1_000_000 + b"\n\n" + PETER_LINE.encode(),
    ],
)
def test_what_is_not_quite_a_note_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_note(data)


def test_a_line_separator_in_a_text_is_not_a_line_end() -> None:
    peter = parse_signing_key(Secret(PETER_SIGNING))
    text = "one\u2028two\x85three\n"
    assert open_note(sign_note(text, [peter]), [peter.verifier()]).text == text


def test_a_signing_key_does_not_print() -> None:
    assert "AYEK" not in repr(parse_signing_key(Secret(PETER_SIGNING)))
