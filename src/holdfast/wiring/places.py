"""Where in a TOML text a key is written: `tomllib` does not say, and a person wants to be told the line."""

import re

_HEADER = re.compile(r"\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(?:#.*)?\Z")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"' ]+?)\s*=")


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line, from 1, of the key or of the nearest table around it; None if neither is found.

    The text has parsed. Good enough for a hint: a key within an inline table or a multi-line value is reported at its
    beginning.
    """
    best: tuple[int, int] | None = None
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            found = table
        elif key := _KEY.match(line):
            found = table + _parts(key[1])
        else:
            continue
        if found and path[: len(found)] == found and (best is None or len(found) > best[0]):
            best = (len(found), number)
    return best[1] if best else None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
