"""Which lines of a table are asked for: masks over whole tables, vectorised, in time linear in the text.

Patterns are RE2's (no backtracking, so none can hang a reader) and look at a line as it is shown, without its line end.
Status and path are read from the text of an access line: the common and combined formats and what resembles them
(nginx, httpd, haproxy), and the JSON of caddy and traefik. A line in which they are not found is not selected.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant

PATTERN_LIMIT = 1000
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for. `since` (included) and `until` (not included) are instants of arrival; all patterns match."""

    since: Instant | None
    until: Instant | None
    patterns: tuple[str, ...]

    @property
    def by_text(self) -> bool:
        """Whether it takes the text, not only the times, to tell."""
        return bool(self.patterns)


def selection(
    since: Instant | None = None,
    until: Instant | None = None,
    grep: str | None = None,
    status: str | None = None,
    path: str | None = None,
) -> Selection:
    """The selection, its patterns tried. MalformedError `usage` for a pattern that is none, or is too large."""
    patterns: list[str] = []
    if grep is not None:
        patterns.append(grep)
        if len(grep) > PATTERN_LIMIT:
            raise MalformedError("usage", "--grep takes a pattern of at most 1000 characters")
    if status is not None:
        patterns.append(_status_pattern(status))
    if path is not None:
        if not path.startswith("/") or len(path) > PATTERN_LIMIT:
            raise MalformedError(
                "usage", "--path begins with a slash: a beginning like /api/, or with * like /api/*.json"
            )
        patterns.append(_path_pattern(path))
    try:
        for pattern in patterns:
            pc.match_substring_regex(pa.array([b""], pa.large_binary()), pattern)
    except (pa.ArrowException, ValueError):
        raise MalformedError("usage", "--grep is a regular expression (RE2), and this is none") from None
    return Selection(since, until, tuple(patterns))


def by_text(wanted: Selection, lines: pa.LargeBinaryArray) -> Mask | None:
    """Which of the rendered lines (each with its LF) match; None if all are wanted."""
    if not wanted.patterns:
        return None
    try:
        text: pa.Array = lines.cast(pa.large_string())
    except pa.ArrowInvalid:
        text = lines  # some line is not UTF-8: bytes are matched as they are
    # The LF belongs to the showing, not to the line: `$` is to match before it.
    text = pc.binary_slice(lines, 0, -1) if text is lines else pc.utf8_rtrim(text, characters="\n")
    mask: Mask | None = None
    for pattern in wanted.patterns:
        found = pc.match_substring_regex(text, pattern).to_numpy(zero_copy_only=False)
        mask = found if mask is None else mask & found
    return mask


def _status_pattern(status: str) -> str:
    code = status.replace("xx", "[0-9][0-9]")
    request = r'"(?:[^"\\]|\\.)*"'
    return (
        rf"(?s:^[^\"]*{request} {code}(?: |$)"  # combined: after the quoted request
        rf"| -?[0-9]+(?:/-?[0-9]+){{3,4}}/?\+?-?[0-9]* {code} "  # haproxy: after its timers
        rf'|^\{{.*"(?:status|DownstreamStatus)": ?{code}[,}}])'
    )


def _path_pattern(path: str) -> str:
    # A beginning unless there is a star; then the whole path, up to a query.
    parts = [re.escape(part) for part in path.split("*")]
    pattern = parts[0] if len(parts) == 1 else '[^" ?]*'.join(parts) + '(?:[" ?])'
    return rf'(?:"[A-Z]{{1,20}} {pattern}|^\{{.*"(?:uri|RequestPath)": ?"{pattern})'
