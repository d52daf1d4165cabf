"""`holdfast verify`: everything held, recomputed from stored bytes."""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from holdfast.formats.notes import NoteVerifier, parse_vkey
from holdfast.vault.findings import Report
from holdfast.vault.verifying import verify
from holdfast.wiring.home import Home, default_root
from holdfast.wiring.vaults import OpenVault, open_vault

_TRIES = 4


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast verify` takes."""
    parser = subparsers.add_parser(
        "verify",
        help="recompute everything held, from stored bytes to signed checkpoints",
        description="Recompute segments, journal, ledger and logs. Exit status 1 if anything does not hold.",
    )
    parser.add_argument("--home", type=Path, default=default_root())
    parser.add_argument("--key", action="append", default=[], metavar="VKEY", help="believe this key of a node's log")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--json", action="store_true", help="the whole report as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 if everything holds, 1 if something does not."""
    pins = [parse_vkey(text) for text in args.key]
    with open_vault(Home.at(args.home)) as vault:
        report = recompute(vault, pins, args.processes, quiet=args.json)
    if args.json:
        print(json.dumps(report.value()))
    else:
        _say(report)
    return 0 if report.sound else 1


def recompute(vault: OpenVault, pins: Sequence[NoteVerifier], processes: int, *, quiet: bool) -> Report:
    """The report, with a bar on a terminal. Looked again a few times if lines moved while something was found."""
    with _executor(processes) as executor:
        for _ in range(_TRIES):
            before = _standing(vault)
            catalogue = vault.catalogue()
            with _progress(sum(row.entry.count for row in catalogue.segments), quiet=quiet) as progress:
                report = verify(vault.vault(catalogue, pins), progress, executor)
            # Lines that moved from journal to segments meanwhile look missing: look again once they have settled.
            if report.sound or _standing(vault) == before:
                break
    return report


def _standing(vault: OpenVault) -> tuple[object, ...]:
    """What moves while a node seals."""
    nodes = vault.settings.node_names()
    files = tuple(tuple(vault.places(node).journal.numbers()) for node in nodes)
    return files, len(vault.catalogue().segments)


@contextmanager
def _executor(processes: int) -> Iterator[Executor | None]:
    if processes <= 1:
        yield None
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("forkserver")) as executor:
        yield executor


@contextmanager
def _progress(lines: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar with lines and lines per second on a terminal, nothing in a pipe."""
    columns = (
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.completed:,.0f} lines"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty(), transient=True
    ) as bar:
        task = bar.add_task("verify", total=lines or None, rate="")

        def advance(proved: int) -> None:
            bar.advance(task, proved)
            speed = bar.tasks[task].speed
            bar.update(task, rate=f"{speed:,.0f} lines/s" if speed else "")

        yield advance


def _say(report: Report) -> None:
    for name, log in sorted(report.logs.items()):
        print(f"log {name}: {log.entries:,} of {log.size:,} entries proved under the checkpoint, key {log.vkey}")
    print(
        f"{report.lines:,} lines in {report.batches:,} batches proved"
        f" ({report.segments:,} segments, {report.flushes:,} flushes in the logs)"
    )
    if report.unlogged:
        print(f"{report.unlogged:,} flushes are durable and not in a log yet")
    if report.sound:
        print("observed: every line, batch, flush, tile and checkpoint signature holds")
        return
    for finding in report.findings:
        print(f"DAMAGED {finding}")
    print("what still holds:")
    for place, lines in sorted(report.holding.items()):
        print(f"  {place}: {lines:,} lines")
