"""One request → one reply, in the database thread: the table of verbs of each role.

Whatever goes wrong is a reply with a code; nothing of the request is ever in one, nor in the process's own log.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db import DatabaseError, transaction

from holdfast.formats.messages import failed, ok
from holdfast.keeper import gatewayverbs, nodeverbs, operatorverbs
from holdfast.keeper.arguments import Arguments
from holdfast.keeper.office import Office
from holdfast.kernel.errors import BusyError, HoldfastError, MalformedError, OutcomeUnknownError, RefusedError

logger = logging.getLogger("holdfast.keeper")

Verb = Callable[[Office, Arguments], dict[str, Any]]

VERBS: Mapping[str, Mapping[str, tuple[Verb, tuple[str, ...]]]] = {
    "node": {
        "host-map": (nodeverbs.host_map, ()),
        "check-token": (nodeverbs.check_token, ("digest",)),
        "announce-node": (nodeverbs.announce_node, ("node", "origin", "vkey", "promise_vkey", "hosting")),
        "make-keys": (nodeverbs.make_keys, ("node", "requests")),
        "open-keys": (nodeverbs.open_keys, ("node", "ids")),
        "sealed": (nodeverbs.sealed, ("node", "segments", "journal_keys")),
    },
    "gateway": {
        "authenticate": (gatewayverbs.authenticate, ("fingerprint", "login")),
        "streams": (gatewayverbs.streams, ("person", "fingerprint", "environment")),
        "open": (
            gatewayverbs.open_stream,
            ("person", "fingerprint", "environment", "stream", "form", "since", "until"),
        ),
    },
    "console": {
        "counts": (operatorverbs.counts, ()),
        "health": (operatorverbs.health, ()),
    },
    "operator": {
        "apply": (operatorverbs.apply, ("register",)),
        "new-token": (operatorverbs.new_token, ("environment", "label")),
        "catalogue": (operatorverbs.catalogue, ("segments_after", "keys_after")),
        "open-verify": (operatorverbs.open_verify, ("ids",)),
        "persons": (operatorverbs.persons, ("after",)),
        "environments": (operatorverbs.environments, ("after",)),
        "events": (operatorverbs.events, ("after",)),
        "status": (operatorverbs.status, ()),
    },
}

LOGGED_AFTER = frozenset({"announce-node"})
"""Verbs whose entries are in the log before they answer; others' follow within a second."""
LOGGED_BEFORE = frozenset({"events"})
"""Verbs before which everything recorded is brought into the log."""


class Answering:
    """Answers requests, one at a time, from the thread that opened the office."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def answer(self, role: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The reply to a request that came in by the role's socket. Never raises."""
        verb = request.get("verb")
        try:
            found = VERBS[role].get(verb) if isinstance(verb, str) else None
            if found is None:
                raise RefusedError("verb", "this socket has no such verb", role=role)
            act, allowed = found
            arguments = Arguments({name: value for name, value in request.items() if name != "verb"}, allowed)
            if verb in LOGGED_BEFORE:
                self.office.flush()
            with transaction.atomic():
                result = act(self.office, arguments)
            if verb in LOGGED_AFTER:
                self.office.flush()
            return ok(result)
        except HoldfastError as error:
            return failed(error)
        except DatabaseError as error:
            logger.warning("database: %s", type(error).__name__)
            return failed(BusyError("keeper-database", "the keeper's database cannot do this now"))
        except RecursionError:
            return failed(MalformedError("message", "the message is nested too deeply"))
        except Exception as error:  # the one place that catches everything: a request never ends the keeper
            logger.error("request failed: %s", type(error).__name__)
            return failed(OutcomeUnknownError("keeper-internal", "the keeper failed at this request"))
