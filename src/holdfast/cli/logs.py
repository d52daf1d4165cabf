"""`holdfast logs`: read a stream the way everybody does, with the `ssh` client through the gateway.

No way around: this command has no key of its own and asks the keeper nothing. What it adds is the port, the user name
and the gateway's host key.
"""

import argparse
import os
import shlex
import shutil
from pathlib import Path

from holdfast.kernel.errors import ConfigurationError
from holdfast.kernel.names import environment_name, login_name
from holdfast.wiring.configuration import Settings
from holdfast.wiring.home import Home, default_root


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast logs` takes."""
    parser = subparsers.add_parser(
        "logs",
        help="read a stream, through the gateway's own path",
        usage="holdfast logs [--home HOME] [--identity FILE] ENVIRONMENT STREAM [--since ... | --help]",
        description="What follows STREAM goes to the gateway as it is: --since, --until, --grep, --follow, --json ...",
    )
    parser.add_argument("--home", type=Path, default=default_root())
    parser.add_argument("--identity", type=Path, metavar="FILE", help="SSH key to use, as `ssh -i`")
    parser.add_argument("environment", metavar="ENVIRONMENT", help="like acme/main")
    parser.add_argument("stream", metavar="STREAM", help="app, system, web-access or ssh-access")
    parser.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Become `ssh`; its exit status is the gateway's."""
    home = Home.at(args.home)
    command = ssh_command(home, home.open(), args.environment, args.stream, args.words, args.identity)
    if shutil.which(command[0]) is None:
        raise ConfigurationError("no-ssh", "the OpenSSH client is not installed", program=command[0])
    os.execvp(command[0], command)  # noqa: S606 - no shell wanted


def ssh_command(
    home: Home, settings: Settings, environment: str, stream: str, words: list[str], identity: Path | None
) -> list[str]:
    """The command line that reads a stream."""
    remote = shlex.join(["logs", stream, *words])
    own_key = ["-i", str(identity), "-o", "IdentitiesOnly=yes"] if identity else []
    return [
        "ssh",
        *("-p", str(settings.gateway.port), *own_key),
        *("-o", f"UserKnownHostsFile={home.known_hosts}", "-o", f"HostKeyAlias={settings.installation}"),
        *("-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-T"),
        f"{login_name(environment_name(environment))}@{settings.gateway.address}",
        remote,
    ]
