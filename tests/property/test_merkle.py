"""Merkle trees: what is made verifies, what is changed does not, and the loops agree with RFC 6962's recursion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.errors import VerificationError
from holdfast.rules import merkle

LEAVES = st.integers(1, 600).map(lambda count: merkle.leaf_hashes([b"%d" % i for i in range(count)]))


def _recursive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(_recursive_root(leaves[:split]), _recursive_root(leaves[split:]))


@given(LEAVES)
def test_the_root_is_that_of_the_recursive_definition(leaves: list[bytes]) -> None:
    assert merkle.root(leaves) == _recursive_root(leaves)


@given(LEAVES, st.data())
def test_every_leaf_is_proved_and_no_other_in_its_place(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path, root = merkle.inclusion_path(leaves, index), merkle.root(leaves)
    merkle.verify_inclusion(leaves[index], index, len(leaves), path, root)
    other = data.draw(st.integers(0, len(leaves) - 1))
    if other != index:
        with pytest.raises(VerificationError):
            merkle.verify_inclusion(leaves[other], index, len(leaves), path, root)
        with pytest.raises(VerificationError):
            merkle.verify_inclusion(leaves[index], other, len(leaves), path, root)


@given(LEAVES, st.data())
def test_every_prefix_is_proved_and_no_changed_one(leaves: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(leaves)))
    path = merkle.consistency_path(leaves, old)
    old_root, new_root = merkle.root(leaves[:old]), merkle.root(leaves)
    merkle.verify_consistency(old, len(leaves), path, old_root, new_root)
    with pytest.raises(VerificationError):
        merkle.verify_consistency(old, len(leaves), path, merkle.leaf_hash(b"other"), new_root)
    with pytest.raises(VerificationError):
        merkle.verify_consistency(old, len(leaves), [*path, new_root], old_root, new_root)


@given(LEAVES, st.data())
def test_a_range_of_perfect_subtrees_hashes_like_its_leaves(leaves: list[bytes], data: st.DataObject) -> None:
    width = 1 << data.draw(st.integers(0, 9))
    parts = [merkle.root(leaves[i : i + width]) for i in range(0, len(leaves), width)]
    assert merkle.root(parts) == merkle.root(leaves)
