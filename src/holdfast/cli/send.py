"""`holdfast send`: take log files in, as an agent on a host would (docs/send.md)."""

import argparse
import os
import signal
import sys
import threading
import uuid
from pathlib import Path

from holdfast.cli.sendreport import SendReport
from holdfast.drivers.httpsender import HttpNode, parse_url
from holdfast.drivers.patience import Patience
from holdfast.drivers.ready import watch_lifeline_in_thread
from holdfast.drivers.sendstate import SendState
from holdfast.drivers.tailing import FollowedFile, WholeFile
from holdfast.kernel.errors import ConfigurationError, HoldfastError
from holdfast.kernel.names import EnvironmentName, Stream, environment_name, login_name
from holdfast.kernel.secrets import Secret
from holdfast.vault.sending import Sending, Stopped

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `holdfast send` takes."""
    parser = subparsers.add_parser(
        "send",
        help="take log files in, as an agent on a host would",
        description="Send log files to a node and keep its signed promises. Run again, it goes on where it was.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="a log file, plain or gzip'd")
    parser.add_argument("--environment", required=True, help="whose lines these are, like acme/main")
    parser.add_argument("--stream", required=True, choices=["app", "system", "web-access"])
    parser.add_argument("--node", default=os.environ.get("HOLDFAST_NODE"), metavar="URL", help="default $HOLDFAST_NODE")
    parser.add_argument("--token-file", type=Path, help="file with the environment's intake token; or $HOLDFAST_TOKEN")
    parser.add_argument("--promise-key", metavar="VKEY", help="verify each promise with this key before it is kept")
    parser.add_argument("--follow", action="store_true", help="go on as lines are written, across rotation")
    parser.add_argument("--state", type=Path, metavar="DIR", help="where positions and promises are kept")
    parser.add_argument("--give-up", type=float, metavar="SECONDS", help="end if the node is busy for so long")
    parser.add_argument("--json", action="store_true", help="one JSON line per promise, and one at the end")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send until done or stopped. 0, or the exit status of the error's family."""
    report = SendReport(json_lines=args.json)
    try:
        return _run(args, report)
    except HoldfastError as error:
        report.end()
        report.say(str(error))
        return error.exit_status
    except OSError as error:
        report.end()
        report.say(f"{error.filename or 'the file'}: {error.strerror}")
        return 78


def _run(args: argparse.Namespace, report: SendReport) -> int:
    environment, stream = environment_name(args.environment), Stream(args.stream)
    if not args.node:
        raise ConfigurationError("node-url", "say which node with --node URL or HOLDFAST_NODE")
    url: str = args.node.rstrip("/")
    scheme, host, _ = parse_url(url)
    if scheme == "http" and host not in _LOOPBACK:
        report.say("warning: token and lines travel unencrypted; put TLS in front of the node and use https://")
    token = _token(args.token_file)
    missing = [path for path in args.files if not path.exists()]
    if missing and not args.follow:
        raise ConfigurationError("no-such-file", "a file to send is not there", file=missing[0].name)
    # Absolute, without resolving links: a link that comes to point elsewhere is a rotation.
    paths = list(dict.fromkeys(path.absolute() for path in args.files))
    folder = args.state or _default_folder(environment, stream)
    state = SendState(folder, url, environment, stream, lambda: str(uuid.uuid4()))
    if state.moved:
        report.say(
            "another node than last time: what it takes is promised by it; an unanswered chunk may be there twice"
        )
    stop = _stop_on_signals()
    node = HttpNode(url, token, environment, stream, state.sender, args.promise_key)
    sending = Sending(node, state, Patience(stop, args.give_up, report.waiting), report)
    try:
        if args.follow:
            sending.run([FollowedFile(path, state, report.notice) for path in paths], follow=True)
        else:
            files = [WholeFile(path, state) for path in paths]
            left = [file.reading.left() for file in files]
            report.start(None if None in left else sum(filter(None, left)))
            sending.run(files, follow=False)
            for file in files:
                file.finish()
    except Stopped:
        report.stopped()
    finally:
        node.close()
        state.close()
        report.end()
    report.summary(folder / "promises")
    return 0


def _token(path: Path | None) -> Secret:
    text = path.read_text(encoding="ascii", errors="replace").strip() if path else os.environ.get("HOLDFAST_TOKEN", "")
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError("token", "say the intake token with --token-file or HOLDFAST_TOKEN; it is one word")
    return Secret(text.encode())


def _default_folder(environment: EnvironmentName, stream: Stream) -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    root = Path(base) if base else Path.home() / ".local" / "state"
    return root / "holdfast" / "send" / f"{login_name(environment)}--{stream.value}"


def _stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set, and the end of whoever holds this process's lifeline: the chunk in hand is
    finished. A second signal ends at once."""
    stop = threading.Event()

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            sys.exit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    watch_lifeline_in_thread(stop.set)
    return stop
