"""`holdfast init`: make a home."""

import argparse
import json
from pathlib import Path

from holdfast.kernel.errors import ConfigurationError
from holdfast.wiring.home import Home, default_root
from holdfast.wiring.initialising import INSTALLATION, NODES, initialise


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast init` takes."""
    parser = subparsers.add_parser(
        "init",
        help="make a home: settings, keys, database",
        description="Make a home in a folder that is not there yet, or is empty. It is there whole, or not at all.",
    )
    parser.add_argument("home", nargs="?", type=Path, metavar="HOME", help="default $HOLDFAST_HOME, or ~/.holdfast")
    parser.add_argument("--installation", default=INSTALLATION, metavar="NAME", help="a domain name; names the logs")
    parser.add_argument(
        "--node", action="append", default=[], metavar="NAME=VENDOR/REGION", help="a node and its hosting, repeatable"
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make it."""
    home = Home.at(args.home or default_root())
    initialise(home, args.installation, dict(_node(text) for text in args.node) or NODES)
    if args.json:
        print(json.dumps({"home": str(home.root), "settings": str(home.settings_file)}))
    else:
        print(f"made {home.root}\nnext: holdfast up --home {home.root}")
    return 0


def _node(text: str) -> tuple[str, str]:
    name, equals, hosting = text.partition("=")
    if not equals:
        raise ConfigurationError("node-option", "a node is given as NAME=VENDOR/REGION")
    return name, hosting
