"""From a command's text to its exit status. The text is parsed strictly and neither kept nor logged."""

import asyncio
import logging
import traceback

from holdfast.formats.commands import Help, Logs, Prove, Streams, parse_command
from holdfast.gateway.logs import logs
from holdfast.gateway.opening import Visitor
from holdfast.gateway.output import Output
from holdfast.gateway.ports import Prover
from holdfast.gateway.streams import streams
from holdfast.gateway.usage import HELP
from holdfast.kernel.errors import ConflictError, HoldfastError, MalformedError, RefusedError
from holdfast.kernel.names import Form

_log = logging.getLogger("holdfast.gateway.commands")

USAGE = 2
_LOGGED_SECONDS = 10.0
_SOON = ("flush-not-logged", "journal-missing")


async def run(visitor: Visitor, prover: Prover | None, text: str | None, output: Output) -> int:
    """Carry out a command (None: a shell was asked for) and return its exit status; the one place that catches
    everything."""
    try:
        if text is None:
            output.say(HELP.rstrip("\n"))
            return USAGE
        match parse_command(text, visitor.now()):
            case Help():
                await output.write(HELP.encode())
                return 0
            case Logs() as asked:
                return await logs(visitor, asked, output)
            case Streams(json=as_json):
                return await streams(visitor, as_json, output)
            case Prove() as asked:
                return await _prove(visitor, prover, asked, output)
    except MalformedError as error:
        if error.code != "usage":
            return _failed(error, output)
        output.say(f"{error.message}\n`help` says more")
        return USAGE
    except RefusedError as error:
        output.say(_refusal(error))
        return error.exit_status
    except HoldfastError as error:
        return _failed(error, output)
    except (ConnectionError, BrokenPipeError):
        return 141  # nobody reads: what a shell says of a process that SIGPIPE ended
    except Exception as error:
        # The message may quote a line, so only where it happened is said.
        places = "".join(traceback.format_tb(error.__traceback__))
        _log.error("unexpected %s in a command\n%s", type(error).__name__, places)
        output.say("something unexpected happened; nothing was changed")
        return 70


async def _prove(visitor: Visitor, prover: Prover | None, asked: Prove, output: Output) -> int:
    if prover is None:
        output.say("proofs are not made at this gateway")
        return 75
    until = visitor.monotonic() + _LOGGED_SECONDS
    while True:
        opening = await visitor.ask(asked.stream, Form.PSEUDONYM, None, None)
        try:
            proof = await visitor.thread(prover.prove, opening, asked.stream, asked.node, asked.line)
            break
        except ConflictError as error:
            # Of a line just taken in the log entry is still to come; of one just sealed, the keeper's next answer.
            if error.code not in _SOON or visitor.monotonic() > until:
                raise
        await asyncio.sleep(0.5)
    await output.write(proof)
    return 0


def _failed(error: HoldfastError, output: Output) -> int:
    _log.warning("a command failed: %s", error)
    output.say(str(error))
    return error.exit_status


def _refusal(error: RefusedError) -> str:
    policies, reason = str(error.fields.get("policies", "")), str(error.fields.get("reason", ""))
    why = f" ({reason.replace('-', ' ')})" if reason else ""
    by = f"\npolicies: {policies}" if policies else ""
    return f"refused: {error.message}{why}{by}"
