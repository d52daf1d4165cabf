"""One line, proved alone: the newest of a stream, and its proof checked with the log's public key and nothing else."""

import time

from holdfast.kernel.errors import ConflictError
from holdfast.kernel.names import EnvironmentName, Stream, environment_name
from holdfast.rules.evidence import Seen, missing, observed
from holdfast.vault.proving import check_proof
from holdfast.wiring.checks.storedlines import newest
from holdfast.wiring.checks.view import View
from holdfast.wiring.proving import prove_line

PATIENCE = 15.0
"""Seconds until the newest line's flush is in the log."""


def check(view: View) -> Seen:
    """Of the stream with the most lines. VerificationError if its bytes, or the proof, do not hold."""
    held = view.report.holding
    if not held:
        return missing("no line is held yet")
    name, _, word = max(held, key=lambda place: held[place]).partition(" ")
    environment, stream = environment_name(name), Stream(word)
    lines = newest(view.vault, environment, stream, 1)
    if not len(lines):
        return missing("the newest line is not to be read now")
    node, line = str(lines["node"][0]), int(lines["line"][0])
    proof = _proof(view, environment, stream, line, node)
    [vkey] = [known.vkey for known in view.vault.catalogue().nodes if known.name == node]
    checked = check_proof(proof, vkey)
    figures: dict[str, int | str] = {
        "stream": f"{environment} {stream.value}",
        "line": checked.line,
        "log_index": checked.log_index,
        "log_size": checked.log_size,
        "proof_bytes": len(proof),
        "witness": checked.witness,
    }
    return observed("the newest line is proved to an outsider who sees no other line", **figures)


def _proof(view: View, environment: EnvironmentName, stream: Stream, line: int, node: str) -> bytes:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return prove_line(view.vault, environment, stream, line, node)
        except ConflictError:  # its log entry is still to come, or it is being sealed
            if time.monotonic() > until:
                raise
        time.sleep(0.5)
