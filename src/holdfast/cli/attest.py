"""`holdfast attest`: the statements, looked at in the running system."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.status import Status

from holdfast.cli.verify import recompute
from holdfast.rules.evidence import Evidence, Outcome
from holdfast.wiring.checks import attest, unlooked
from holdfast.wiring.checks.view import View
from holdfast.wiring.home import Home, default_root
from holdfast.wiring.vaults import open_vault


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast attest` takes."""
    parser = subparsers.add_parser(
        "attest",
        help="look at the running system, statement by statement",
        description="Look at what runs and what is stored. Exit status 1 if anything contradicts a statement.",
    )
    parser.add_argument("--home", type=Path, default=default_root())
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--json", action="store_true", help="all evidence as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if nothing is contradicted, 1 if something is."""
    found: list[Evidence] = []
    quiet = args.json or not sys.stderr.isatty()
    with open_vault(Home.at(args.home)) as vault:
        view = View(vault, recompute(vault, (), args.processes, quiet=args.json))
        console = Console(stderr=True, quiet=quiet)
        with Status("looking", console=console) as status:
            every = attest(view, lambda name: status.update(f"looking: {name}"))
            for _, one_check in groupby(every, lambda evidence: evidence.check):
                evidence = list(one_check)
                found += evidence
                if not args.json:
                    print(_line(evidence), flush=True)
    if args.json:
        print(json.dumps({"evidence": [evidence.value() for evidence in found], "missing": unlooked()}))
    else:
        print(f"missing: no check looks at {', '.join(unlooked())} yet")
    return 1 if any(evidence.outcome is Outcome.CONTRADICTED for evidence in found) else 0


def _line(evidence: Sequence[Evidence]) -> str:
    """One check's evidence, which is the same for each of its statements."""
    one, statements = evidence[0], " ".join(each.statement for each in evidence)
    figures = ", ".join(f"{name}={value}" for name, value in one.figures.items())
    said = f"{statements:<14} {one.outcome.value:<12} {one.check}: {one.says}"
    return f"{said} ({figures})" if figures else said
