"""The commands people type: `holdfast COMMAND`.

Each command lives in a module that has `add(subparsers)`; the parser it adds carries `run(args) -> int`. A module is
loaded when its command is typed, so that `holdfast --help` is quick.

Exit status: 0 done, 1 found something wrong, 2 used wrongly, else that of the error's family (docs/errors.md).
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence

from holdfast.kernel.errors import HoldfastError, family_of

COMMANDS = {
    "init": ("init", "make a home: settings, keys, database"),
    "up": ("up", "run everything on this machine"),
    "status": ("status", "how the processes and what they hold stand"),
    "apply": ("apply", "make the register equal to a document"),
    "token": ("token", "make an intake token for an environment's senders"),
    "send": ("send", "take log files in, as an agent on a host would"),
    "logs": ("logs", "read a stream, through the gateway's own path"),
    "verify": ("verify", "recompute everything held, from stored bytes to signed checkpoints"),
    "attest": ("attest", "look at the running system, statement by statement"),
    "prove": ("prove", "make the proof of one line"),
    "check": ("prove", "check the proof of one line, offline"),
    "node": ("process", "one process: logs in"),
    "gateway": ("process", "one process: SSH, for reading"),
    "console": ("process", "one process: web pages"),
    "keeper": ("process", "one process: keys and decisions"),
    "demo": ("demo", "what `up --demo` runs: the sample platform"),
}
"""Command → module of this package, and a line for `--help`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    args = _parser(words[0] if words else "").parse_args(words)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except HoldfastError as error:
        return _failed(error, as_json=getattr(args, "json", False))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who read our output has had enough; say nothing more, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser of one command, with all of its options; of the others, only the names."""
    parser = argparse.ArgumentParser(
        "holdfast", description="Logs in provable custody.", epilog="`holdfast COMMAND --help` says more of a command."
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    if command in COMMANDS:
        importlib.import_module(f"holdfast.cli.{COMMANDS[command][0]}").add(subparsers)
    else:
        for name, (_, words) in COMMANDS.items():
            subparsers.add_parser(name, help=words)
    return parser


def _failed(error: HoldfastError, *, as_json: bool) -> int:
    """One plain line on stderr; for a program, the same as JSON on stdout."""
    print(f"holdfast: {error}", file=sys.stderr)
    if as_json:
        said = {"family": family_of(error), "code": error.code, "message": error.message, "fields": dict(error.fields)}
        print(json.dumps({"error": said}))
    return error.exit_status
