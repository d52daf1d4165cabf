"""`holdfast token new`: an intake token for an environment's senders. The keeper must be running."""

import argparse
import json
from pathlib import Path

from holdfast.drivers.keeperclient import KeeperClient
from holdfast.drivers.operatorkeeper import OperatorKeeper
from holdfast.kernel.names import environment_name
from holdfast.wiring.home import Home, default_root


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast token new` takes."""
    parser = subparsers.add_parser("token", help="make an intake token for an environment's senders")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    new = verbs.add_parser(
        "new", help="make one", description="Printed once and kept nowhere: the keeper knows its SHA-256 only."
    )
    new.add_argument("environment", metavar="ENVIRONMENT", help="like acme/main")
    new.add_argument("--label", default="intake", help="what you know it by")
    new.add_argument("--home", type=Path, default=default_root())
    new.add_argument("--json", action="store_true")
    new.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make it and print it."""
    home = Home.at(args.home)
    home.open()
    environment = environment_name(args.environment)
    token = OperatorKeeper(KeeperClient(home.socket("operator"))).new_token(environment, args.label)
    text = token.reveal().decode()
    print(json.dumps({"environment": environment, "token": text}) if args.json else text)
    return 0
