"""RFC 6962 trees against the vectors of transparency-dev/merkle, and the worked example of C2SP merkle-tree."""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from holdfast.kernel.errors import VerificationError
from holdfast.rules import merkle

VECTORS = Path(__file__).parents[2] / "vectors" / "rfc6962" / "testdata"
CASES = sorted(VECTORS.rglob("*.json"))


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _verify(kind: str, case: dict[str, Any]) -> None:
    path = [_bytes(text) for text in case["proof"] or ()]
    if kind == "inclusion":
        merkle.verify_inclusion(_bytes(case["leafHash"]), case["leafIdx"], case["treeSize"], path, _bytes(case["root"]))
    elif kind == "consistency":
        merkle.verify_consistency(case["size1"], case["size2"], path, _bytes(case["root1"]), _bytes(case["root2"]))
    elif kind == "subtreeinclusion":
        merkle.verify_subtree_inclusion(
            _bytes(case["leafHash"]), case["leafIdx"], case["start"], case["end"], path, _bytes(case["root"])
        )
    else:
        assert kind == "subtreeconsistency"
        merkle.verify_subtree_consistency(
            case["start"], case["end"], case["size"], path, _bytes(case["root1"]), _bytes(case["root2"])
        )


def test_all_518_vectors_are_here() -> None:
    assert len(CASES) == 518


@pytest.mark.parametrize("file", CASES, ids=lambda file: str(file.relative_to(VECTORS).with_suffix("")))
def test_a_proof_is_judged_as_the_vector_says(file: Path) -> None:
    case = json.loads(file.read_text())
    kind = file.relative_to(VECTORS).parts[0]
    if case["wantErr"]:
        with pytest.raises(VerificationError):
            _verify(kind, case)
    else:
        _verify(kind, case)


def test_the_worked_example_of_seven_entries_has_the_named_proofs() -> None:
    leaves = merkle.leaf_hashes([b"d%d" % i for i in range(7)])
    a, b, c, d, e, f, g = leaves
    h, i, j = merkle.node_hash(a, b), merkle.node_hash(c, d), merkle.node_hash(e, f)
    k, last = merkle.node_hash(h, i), merkle.node_hash(j, g)
    assert merkle.root(leaves) == merkle.node_hash(k, last)
    assert merkle.inclusion_path(leaves, 0) == [b, i, last]
    assert merkle.inclusion_path(leaves, 3) == [c, h, last]
    assert merkle.inclusion_path(leaves, 4) == [f, g, k]
    assert merkle.inclusion_path(leaves, 6) == [j, k]
    assert merkle.consistency_path(leaves, 3) == [c, d, h, last]
    assert merkle.consistency_path(leaves, 4) == [last]
    assert merkle.consistency_path(leaves, 6) == [j, g, k]


def test_the_empty_tree_has_the_root_of_nothing() -> None:
    assert merkle.root([]) == sha256(b"").digest()
    assert merkle.leaf_hash(b"") == sha256(b"\x00").digest()


@pytest.mark.parametrize(("old", "size"), [(0, 5), (6, 5), (-1, 5), (1, 1 << 63)])
def test_no_consistency_is_proved_from_nothing_or_from_the_future(old: int, size: int) -> None:
    with pytest.raises(VerificationError):
        merkle.consistency_ranges(old, size)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (0, 1 << 63)])
def test_no_inclusion_is_proved_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(VerificationError):
        merkle.inclusion_ranges(index, size)
