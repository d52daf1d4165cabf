import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.formats.promises import Promise, PromiseSigner, signed_promise_of
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import EnvironmentName, NodeName, Stream

PROMISE = Promise(
    EnvironmentName("acme/main"), Stream.APP, NodeName("n1"), 7, 812, bytes(32), Instant(1_764_000_000_000_000_001)
)
SIGNER = PromiseSigner("example.org/n1/promise", Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_the_signed_text_is_exactly_the_documented_bytes() -> None:
    assert PROMISE.text("example.org/n1/promise") == (
        b"holdfast promise v1\nexample.org/n1/promise\nnode n1\nenvironment acme/main\nstream app\nfirst 7\ncount 812\n"
        b"root AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2025-11-24T16:00:00.000000001Z\n"
    )


def test_a_promise_survives_json_and_verifies_with_the_published_key() -> None:
    signed = SIGNER.sign(PROMISE)
    read = signed_promise_of(json.loads(json.dumps(signed.value())))
    assert read == signed
    read.verify(SIGNER.verifier.vkey())
    assert read.note().startswith(PROMISE.text(SIGNER.key_name) + "\n— example.org/n1/promise ".encode())


@pytest.mark.parametrize("change", [{"first": 8}, {"count": 811}, {"root": b"\1" * 32}, {"stream": Stream.SYSTEM}])
def test_a_changed_promise_does_not_verify(change: dict[str, object]) -> None:
    signed = SIGNER.sign(PROMISE)
    with pytest.raises(VerificationError):
        replace(signed, promise=replace(PROMISE, **change)).verify(SIGNER.verifier.vkey())  # type: ignore[arg-type]


def test_another_nodes_key_does_not_verify_a_promise() -> None:
    other = PromiseSigner("example.org/n2/promise", SIGNER.private)
    with pytest.raises(VerificationError):
        SIGNER.sign(PROMISE).verify(other.verifier.vkey())


@pytest.mark.parametrize(
    "change",
    [
        {"first": "07"},
        {"first": 7},
        {"first": "٣"},
        {"first": None},
        {"count": 0},
        {"count": True},
        {"root": "AAAA"},
        {"time": "yesterday"},
        {"signature": "A" * 92},
        {"v": 2},
        {"key": "a b"},
    ],
)
def test_an_answer_that_is_not_exact_is_no_promise(change: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        signed_promise_of({**SIGNER.sign(PROMISE).value(), **change})  # type: ignore[dict-item]
