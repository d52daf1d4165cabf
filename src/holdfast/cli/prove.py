"""`holdfast prove` and `holdfast check`: one line proved to an outsider, and the proof checked offline."""

import argparse
import json
import sys
import time
from pathlib import Path

from holdfast.formats.notes import parse_vkey
from holdfast.formats.proofs import PROOF_LIMIT, shown
from holdfast.kernel.errors import ConflictError, HoldfastError
from holdfast.kernel.instants import rfc3339
from holdfast.kernel.names import Stream, environment_name
from holdfast.vault.proving import check_proof
from holdfast.wiring.home import Home, default_root
from holdfast.wiring.proving import prove_line
from holdfast.wiring.vaults import open_vault

_PATIENCE = 10.0
_SOON = ("flush-not-logged", "journal-missing")
"""Of a line just taken in the log entry is still to come; one just sealed is in a segment the next time."""


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what the two commands take."""
    parser = subparsers.add_parser(
        "prove", help="make the proof of one line", description="Writes the proof to stdout."
    )
    parser.add_argument("environment", help="like acme/main")
    parser.add_argument("stream", choices=[stream.value for stream in Stream])
    parser.add_argument("line", type=int, help="the line's number in its stream, from 0")
    parser.add_argument("--node", help="where several nodes hold lines of the stream")
    parser.add_argument("--home", type=Path, default=default_root())
    parser.set_defaults(run=run_prove)
    parser = subparsers.add_parser("check", help="check the proof of one line, offline")
    parser.add_argument("proof", type=argparse.FileType("rb"), help="a file, or - for standard input")
    parser.add_argument("--key", required=True, metavar="VKEY", help="the verifier key of the node's log")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run_check)


def run_prove(args: argparse.Namespace) -> int:
    """Print the proof. Waits a little for a line whose log entry is still to come."""
    environment, stream = environment_name(args.environment), Stream(args.stream)
    with open_vault(Home.at(args.home)) as vault:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                text = prove_line(vault, environment, stream, args.line, args.node)
                break
            except ConflictError as error:
                if error.code not in _SOON or time.monotonic() > until:
                    raise
                time.sleep(0.5)
    sys.stdout.buffer.write(text)
    return 0


def run_check(args: argparse.Namespace) -> int:
    """0 if the proof holds, 1 if it does not. MalformedError for a key that is none: of the proof it says nothing."""
    with args.proof as source:
        text = source.read(PROOF_LIMIT + 1)
    parse_vkey(args.key)
    try:
        checked = check_proof(text, args.key)
    except HoldfastError as error:
        print(json.dumps({"holds": False, "code": error.code}) if args.json else f"DOES NOT HOLD: {error}")
        return 1
    record = checked.record
    if args.json:
        said = {
            "holds": True,
            "environment": checked.environment,
            "stream": checked.stream.value,
            "node": checked.node,
            "line": checked.line,
            "arrival": rfc3339(record.arrival),
            "flush": checked.flush,
            "flush_time": rfc3339(checked.flush_time),
            "origin": checked.origin,
            "log_index": checked.log_index,
            "log_size": checked.log_size,
            "witness": checked.witness,
        }
        print(json.dumps(said))
        return 0
    print(f"holds: line {checked.line} of {checked.environment} {checked.stream.value}, taken in by {checked.node}")
    print(f"  {shown(record.message)}")
    print(f"  arrived {rfc3339(record.arrival)}, durable in flush {checked.flush} of {rfc3339(checked.flush_time)}")
    print(f"  entry {checked.log_index} of {checked.log_size} in the log {checked.origin}, {checked.witness}")
    return 0
