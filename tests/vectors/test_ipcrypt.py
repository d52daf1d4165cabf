"""ipcrypt-pfx against the published known answers."""

import ipaddress
import json
from pathlib import Path

import numpy as np
import pytest

from holdfast.rules import pseudonyms

CASES = [
    case
    for case in json.loads((Path(__file__).parent / "ipcrypt" / "test_vectors.json").read_text())
    if case["variant"] == "ipcrypt-pfx"
]


def packed(text: str) -> np.ndarray:
    address = ipaddress.ip_address(text)
    data = bytes(10) + b"\xff\xff" + address.packed if address.version == 4 else address.packed
    return np.frombuffer(data, np.uint8).reshape(1, 16)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['key'][:4]}-{case['ip']}")
def test_pseudonyms_are_the_published_ones_both_ways(case: dict[str, str]) -> None:
    key, address = bytes.fromhex(case["key"]), packed(case["ip"])
    pseudonym = pseudonyms.encrypt(key, address)
    assert pseudonym.tobytes() == packed(case["encrypted_ip"]).tobytes()
    assert pseudonyms.decrypt(key, pseudonym).tobytes() == address.tobytes()
    assert pseudonyms.texts(pseudonym, pseudonyms.is_mapped(pseudonym)).to_pylist() == [case["encrypted_ip"].encode()]


def test_there_are_published_cases() -> None:
    assert len(CASES) >= 16
