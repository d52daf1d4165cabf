from pathlib import Path

import pytest

from holdfast.drivers.locking import is_held, only_one
from holdfast.kernel.errors import ConflictError


def test_there_is_only_one_of_a_process(tmp_path: Path) -> None:
    lock = tmp_path / "n1.lock"
    with only_one(lock, "n1"):
        assert is_held(lock)
        with pytest.raises(ConflictError), only_one(lock, "n1"):
            pass
    assert not is_held(lock)
    with only_one(lock, "n1"):
        pass
