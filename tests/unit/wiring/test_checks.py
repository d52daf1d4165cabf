from pathlib import Path

import pytest
from tests.support import keepers  # noqa: F401 - settings of the database, which wiring imports

from holdfast.kernel.errors import BusyError, VerificationError
from holdfast.kernel.names import Stream
from holdfast.rules.evidence import Outcome, Seen, observed
from holdfast.vault.findings import Finding, Report
from holdfast.wiring import checks
from holdfast.wiring.checks import Check, attest, immutability, streams, unlooked
from holdfast.wiring.checks.knocking import place_of
from holdfast.wiring.checks.view import View
from holdfast.wiring.configuration import GatewayListener

ROOT = Path(__file__).parents[3]


def view(report: Report) -> View:
    return View(None, report)  # type: ignore[arg-type]


def looked(monkeypatch: pytest.MonkeyPatch, seen: Seen | Exception) -> list[tuple[str, Outcome]]:
    def look(_view: View) -> Seen:
        if isinstance(seen, Exception):
            raise seen
        return seen

    monkeypatch.setattr(checks, "CHECKS", (Check("one", ("S8", "B2"), look),))
    return [(one.statement, one.outcome) for one in attest(view(Report()), lambda name: None)]


def test_a_check_bears_on_each_of_its_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, observed("so")) == [("S8", Outcome.OBSERVED), ("B2", Outcome.OBSERVED)]


def test_damage_contradicts_and_what_cannot_be_looked_at_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {outcome for _, outcome in looked(monkeypatch, VerificationError("x", "y"))} == {Outcome.CONTRADICTED}
    assert {outcome for _, outcome in looked(monkeypatch, BusyError("x", "y"))} == {Outcome.MISSING}


def test_every_statement_is_looked_at_or_said_to_be_missing() -> None:
    looked_at = {statement for check in checks.CHECKS for statement in check.statements}
    assert looked_at | set(unlooked()) == set(checks.STATEMENTS)
    assert not looked_at & set(unlooked())
    assert len({check.name for check in checks.CHECKS}) == len(checks.CHECKS)


def test_stored_bytes_are_observed_only_where_there_are_any_and_all_hold() -> None:
    assert immutability.check(view(Report())).outcome is Outcome.MISSING
    report = Report(lines=3, batches=1)
    assert immutability.check(view(report)).outcome is Outcome.OBSERVED
    report.findings.append(Finding("batch-root", "says", "object"))
    seen = immutability.check(view(report))
    assert (seen.outcome, seen.figures["codes"]) == (Outcome.CONTRADICTED, "batch-root")


def test_lines_that_map_nowhere_are_no_environments() -> None:
    check = streams.check_of(Stream.SYSTEM)
    assert check(view(Report(holding={"platform/unclaimed system": 4, "acme/main app": 1}))).outcome is Outcome.MISSING
    seen = check(view(Report(holding={"platform/unclaimed system": 4, "acme/main system": 2})))
    assert seen.outcome is Outcome.OBSERVED
    assert seen.figures == {"lines": 2, "environments": 1, "unclaimed_lines": 4}


@pytest.mark.parametrize(
    ("address", "reached"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.1", "192.0.2.1"), ("::1", "::1")]
)
def test_a_listener_is_reached_from_its_own_machine(address: str, reached: str) -> None:
    assert place_of(GatewayListener(address=address, port=22)) == (reached, 22)


def test_the_page_says_of_every_check_what_it_looks_at_and_judges_no_law() -> None:
    page = (ROOT / "docs" / "attest.md").read_text()
    for check in checks.CHECKS:
        assert f"| `{check.name}` | {', '.join(check.statements)} |" in page
    code = [path.read_text() for path in (ROOT / "src/holdfast/wiring/checks").glob("*.py")]
    assert not any("complian" in text.lower() for text in [page, *code])
