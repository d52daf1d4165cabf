"""Checkpoints against C2SP tlog-checkpoint."""

import base64

import pytest

from holdfast.formats.checkpoints import Checkpoint, open_checkpoint, origin_name, parse_checkpoint, sign_checkpoint
from holdfast.formats.notes import parse_note, sign_note, signer
from holdfast.kernel.errors import MalformedError, VerificationError
from holdfast.kernel.names import Installation

SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
SIGNER = signer("logs.example/n1", bytes(range(32)))


def test_the_specifications_example_reads() -> None:
    text = parse_note(SOFA.encode()).text
    checkpoint = parse_checkpoint(text)
    assert checkpoint == Checkpoint("example.com/behind-the-sofa", 20852163, ROOT)
    assert checkpoint.text() == text


def test_a_signed_checkpoint_opens_with_its_key() -> None:
    checkpoint = Checkpoint("logs.example/n1", 0, ROOT)
    assert open_checkpoint(sign_checkpoint(checkpoint, SIGNER), SIGNER.verifier()) == checkpoint


def test_a_checkpoint_is_its_own_keys_logs() -> None:
    with pytest.raises(MalformedError):
        sign_checkpoint(Checkpoint("logs.example/n2", 1, ROOT), SIGNER)
    other = sign_note(Checkpoint("logs.example/n2", 1, ROOT).text(), [SIGNER])
    with pytest.raises(VerificationError, match="checkpoint-origin"):
        open_checkpoint(other, SIGNER.verifier())


def test_extension_lines_are_read_of_others_and_neither_signed_nor_taken_for_ours() -> None:
    extended = Checkpoint("logs.example/n1", 1, ROOT, ("more",))
    with pytest.raises(MalformedError):
        sign_checkpoint(extended, SIGNER)
    data = sign_note(extended.text(), [SIGNER])
    assert open_checkpoint(data, SIGNER.verifier(), extensions=True) == extended
    with pytest.raises(VerificationError, match="checkpoint-extensions"):
        open_checkpoint(data, SIGNER.verifier())


@pytest.mark.parametrize("size", ["", "01", "-1", "+1", " 1", "1_0", "٣", "1.0", str(1 << 63)])
def test_a_size_is_a_plain_decimal(size: str) -> None:
    with pytest.raises(MalformedError):
        parse_checkpoint(f"o\n{size}\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
        "o\n1\n",
    ],
)
def test_what_is_not_quite_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_checkpoint(text)


def test_an_origin_is_short_and_has_no_spaces() -> None:
    assert origin_name(Installation("logs.example"), "n1") == "logs.example/n1"
    for installation in ("a b", "a+b", "a" * 254):
        with pytest.raises(MalformedError):
            origin_name(Installation(installation), "n1")
