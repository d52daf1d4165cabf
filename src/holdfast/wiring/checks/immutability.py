"""Nothing held was changed, dropped, added or reordered: recomputed from stored bytes."""

from holdfast.rules.evidence import Seen, contradicted, missing, observed
from holdfast.wiring.checks.view import View


def check(view: View) -> Seen:
    """Lines → batches → flushes → tiles → signed checkpoints, as `holdfast verify` does it."""
    report = view.report
    figures = {
        "lines": report.lines,
        "batches": report.batches,
        "segments": report.segments,
        "checkpoints": len(report.logs),
        "unlogged_flushes": report.unlogged,
    }
    if not report.sound:
        codes = " ".join(sorted({finding.code for finding in report.findings}))
        return contradicted(
            "stored bytes are not what was committed", findings=len(report.findings), **figures, codes=codes
        )
    if not report.lines:
        return missing("no line is held yet", **figures)
    return observed("every stored line is under a signed checkpoint or in a flush on its way there", **figures)
