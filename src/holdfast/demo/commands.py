"""The commands worth typing, as they can be typed."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.demo.folder import DemoFolder
from holdfast.demo.platform import SEALING_SECONDS, Platform
from holdfast.demo.register import ACME
from holdfast.kernel.instants import Day


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A command, a short name of it, and what it shows. Those of one `part` are printed together."""

    part: str
    name: str
    shows: str
    command: str


def suggestions(platform: Platform, program: Sequence[str], today: Day) -> list[Suggestion]:
    """What to type, in order. `program` is how this command was called, in words; paths are relative where shorter."""
    folder = DemoFolder(platform.home)
    alice = f"-F {_word(folder.configuration('alice'))}"
    olga = f"-F {_word(folder.configuration('olga'))}"
    holdfast, home = shlex.join(program), f"--home {_word(platform.home)}"
    vkey = shlex.quote(platform.nodes["n1"].vkey)
    proof = "/tmp/line.proof"  # noqa: S108 - what a person types
    return [
        Suggestion(
            "In another terminal:",
            "read",
            "Alice of Acme reads her own logs, live",
            f"ssh {alice} acme--main@localhost logs web-access --follow",
        ),
        Suggestion(
            "",
            "refused",
            "and is refused another customer's",
            f"ssh {alice} globex--main@localhost logs web-access",
        ),
        Suggestion(
            "",
            "sftp",
            "the same logs as files; clear/ has addresses instead of pseudonyms",
            f"sftp {alice} acme--main@localhost:web-access/{today}.log /tmp/",
        ),
        Suggestion("", "verify", "recompute everything held", f"{holdfast} verify {home}"),
        Suggestion(
            "Prove one line to an outsider:",
            "prove",
            "Alice takes the proof of line 42 of her stream",
            f"ssh {alice} acme--main@localhost prove web-access 42 > {proof}",
        ),
        Suggestion(
            "",
            "check",
            "anybody checks it, offline, with the log's public key",
            f"{holdfast} check {proof} --key {vkey}",
        ),
        Suggestion(
            f"Change one bit (half a minute after the start: lines are sealed every {SEALING_SECONDS} s):",
            "flip",
            "in the largest segment; it prints how to flip it back",
            f"python3 {_word(folder.flip)}",
        ),
        Suggestion("", "verify-again", "it is found and named", f"{holdfast} verify {home}"),
        Suggestion(
            "More:",
            "app",
            f"the application's own log file of {ACME}, taken in by `holdfast send --follow`",
            f"ssh {alice} acme--main@localhost logs app --last 3",
        ),
        Suggestion(
            "",
            "unclaimed",
            "operations read what no environment claims",
            f"ssh {olga} platform--unclaimed@localhost logs system --last 3",
        ),
        Suggestion("", "status", "how everything stands", f"{holdfast} status {home}"),
    ]


def _word(path: Path) -> str:
    """The path for a shell, from here if that is shorter."""
    relative = os.path.relpath(path)
    return shlex.quote(min(relative, str(path), key=len))
