"""The `attributes` column of syslog lines: canonical JSON of what has no column of its own.

    {"facility":"23","msgid":"...","pri":"...","sd":"[...]","timestamp":"..."}

`sd` is the structured data as written; `pri` and `timestamp` only where they could not be understood. Absent ones are
left out; a line with none of them has an empty field.
"""

import numpy as np
import polars as pl

from holdfast.formats import canonical
from holdfast.formats.syslog.spans import Fields, Span, present, texts

_BARE = pl.Series([""] + [f'{{"facility":"{number}"}}' for number in range(24)], dtype=pl.String)
_CONTROLS = r"[\x00-\x1f]"


def column(buffer: bytes, fields: Fields) -> pl.Series:
    """The column, one canonical JSON object or "" per line."""
    spans: dict[str, Span] = {
        "msgid": fields.msgid,
        "pri": fields.pri,
        "sd": fields.data,
        "timestamp": fields.timestamp,
    }
    more = np.logical_or.reduce([present(span) for span in spans.values()])
    bare = _BARE.gather(pl.Series(fields.facility + 1))
    rows = np.flatnonzero(more)
    if not len(rows):
        return bare
    facility = pl.Series(fields.facility[rows]).cast(pl.String)
    table = pl.DataFrame(
        {"facility": facility.replace("-1", "")}
        | {name: texts(buffer, (span[0][rows], span[1][rows])) for name, span in spans.items() if present(span).any()}
    )
    odd = table.select(pl.any_horizontal(pl.all().str.contains(_CONTROLS))).to_series()
    members = [
        pl.when(pl.col(name) != "").then(
            pl.concat_str(
                pl.lit(f'"{name}":"'),
                pl.col(name).str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True),
                pl.lit('"'),
            )
        )
        for name in table.columns
    ]
    rich = table.select(
        pl.concat_str(pl.lit("{"), pl.concat_str(members, separator=",", ignore_nulls=True), pl.lit("}"))
    ).to_series()
    if odd.any():
        at = odd.arg_true()
        slow = [
            canonical.dump({name: value for name, value in row.items() if value}).decode()
            for row in table[at].iter_rows(named=True)
        ]
        rich = rich.scatter(at, pl.Series(slow, dtype=pl.String))
    return bare.scatter(pl.Series(rows), rich)
