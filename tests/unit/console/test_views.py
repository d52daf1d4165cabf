import asyncio
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import django
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.test.utils import override_settings
from django.urls import URLPattern, get_resolver, path

from holdfast.drivers.logstanding import LogStanding
from holdfast.drivers.standing import Standing
from holdfast.kernel.errors import BusyError
from holdfast.wiring.settings import console_settings, prepare_keeper

if not django.apps.apps.ready:
    prepare_keeper()

from holdfast.console.actions import PUBLIC, action_of
from holdfast.console.parts import ConsoleParts, NodeView


class FakeKeeper:
    """Answers, or is away."""

    def __init__(self) -> None:
        self.away = False

    async def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """As the console's socket would."""
        if self.away:
            raise BusyError("keeper-unreachable", "the keeper cannot be reached now")
        health = {"healthy": True, "installation": "logs.example", "epoch": 1, "register_version": 3, "log_size": 8}
        return {"health": health, "counts": {"segments": 5}}[verb]


KEEPER = FakeKeeper()
STATES = {"keeper": "ready", "n1": "ready"}


def processes() -> list[Standing]:
    """Processes as STATES says, for a minute and five seconds."""
    return [Standing(name, state, 1, int(time.time()) - 65, 0) for name, state in STATES.items()]


PARTS = ConsoleParts(
    installation="logs.example",
    keeper=KEEPER,
    processes=processes,
    nodes=[NodeView("n1", "aws/eu-west-1", lambda: LogStanding(1234, 2))],
    addresses={"gateway": "127.0.0.1:2222"},
)


@pytest.fixture(autouse=True)
def _console() -> Iterator[None]:
    KEEPER.away = False
    STATES["n1"] = "ready"
    settings = console_settings("k" * 64, ["testserver"], PARTS)
    # Other tests of this process have set Django up for the keeper; these two cannot be put back once overridden.
    for name in ("SECRET_KEY", "DATABASES"):
        del settings[name]
    with override_settings(**settings):
        yield


def get(place: str, method: str = "get") -> HttpResponse:
    """The answer."""

    async def ask() -> HttpResponse:
        answer: HttpResponse = await getattr(AsyncClient(), method)(place)
        return answer

    return asyncio.run(ask())


def test_every_view_declares_its_action() -> None:
    patterns = get_resolver().url_patterns
    assert patterns
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)
        assert action_of(pattern.callback) in PUBLIC


def undeclared(request: HttpRequest) -> HttpResponse:
    """A view somebody forgot to think about."""
    return HttpResponse("anything")


urlpatterns = [path("", undeclared)]


def test_a_view_without_an_action_is_refused() -> None:
    with override_settings(ROOT_URLCONF=__name__):
        assert get("/").status_code == 403


def test_the_page_says_how_things_stand_and_runs_no_script() -> None:
    page = get("/").content.decode()
    assert "All is well" in page
    assert re.search(r"n1</th><td>aws/eu-west-1</td>.*1234.*2 s ago", page)
    assert "1 min" in page
    assert "<script" not in page
    assert "style=" not in page


def test_every_answer_carries_the_strict_headers() -> None:
    for place in ("/", "/health", "/style.css", "/nowhere"):
        answer = get(place)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_programs_are_told_503_when_something_is_amiss() -> None:
    assert get("/health").status_code == 200
    STATES["n1"] = "waiting"
    assert get("/health").status_code == 503
    assert "Something is amiss" in get("/").content.decode()


def test_without_the_keeper_the_page_still_answers() -> None:
    KEEPER.away = True
    answer = get("/health")
    assert answer.status_code == 503
    assert json.loads(answer.content)["keeper"] == {"answers": False}
    assert "does not answer" in get("/").content.decode()


def test_nothing_but_reading_is_answered() -> None:
    assert get("/", "post").status_code == 405


def test_a_name_that_is_not_ours_reads_nothing() -> None:
    with override_settings(ALLOWED_HOSTS=["logs.example"]):
        assert get("/").status_code == 400
