"""`holdfast node NAME`, `gateway`, `console`, `keeper`: one process, as `up` runs it and as a unit file would."""

import argparse
from functools import partial
from pathlib import Path

from holdfast.kernel.names import node_name
from holdfast.wiring.home import Home, default_root
from holdfast.wiring.processes import Make, run_process


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what the four commands take."""
    node = subparsers.add_parser("node", help="one process: logs in")
    node.add_argument("name", metavar="NAME", help="the node's name in holdfast.toml, like n1")
    parsers = {"node": node}
    for process, words in {"gateway": "SSH, for reading", "console": "web pages", "keeper": "keys, decisions"}.items():
        parsers[process] = subparsers.add_parser(process, help=f"one process: {words}")
    for process, parser in parsers.items():
        parser.add_argument("--home", type=Path, default=default_root())
        parser.set_defaults(run=run, process=process)


def run(args: argparse.Namespace) -> int:
    """Run until told to stop."""
    name = node_name(args.name) if args.process == "node" else args.process
    return run_process(Home.at(args.home), name, lambda home, settings: _made_of(args.process, name)(home, settings))


def _made_of(process: str, name: str) -> Make:
    """What it is made of; each is loaded alone, so that a process holds no more code than it needs."""
    if process == "keeper":
        from holdfast.wiring.keeper import keeper

        return keeper
    if process == "gateway":
        from holdfast.wiring.gateway import gateway

        return gateway
    if process == "console":
        from holdfast.wiring.console import console

        return console
    from holdfast.wiring.node import node

    return partial(node, node_name(name))
