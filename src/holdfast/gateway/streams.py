"""`streams`: what this person may read in this environment, day by day, with sizes."""

import json

from holdfast.gateway.opening import Visitor
from holdfast.gateway.output import Output
from holdfast.kernel.instants import rfc3339
from holdfast.kernel.names import Form


async def streams(visitor: Visitor, as_json: bool, output: Output) -> int:
    """Write the list; 0 if there is anything to read, else RefusedError's 77 and a word."""
    readable = await visitor.keeper.streams(visitor.person, visitor.fingerprint, visitor.environment)
    lines: list[str] = []
    for stream, forms in readable.items():
        if Form.PSEUDONYM not in forms:
            continue
        reading, _ = await visitor.open(stream, Form.PSEUDONYM, None)
        clear = Form.CLEAR in forms
        if not as_json:
            lines.append(f"{stream.value}{' (addresses too: --clear)' if clear else ''}")
        for day, node in reading.days():
            extents = await visitor.thread(reading.extents, day, node, whole=False)
            count, size, last = extents.end - extents.first, extents.size, rfc3339(extents.arrival_max)
            extents.close()
            if as_json:
                lines.append(
                    json.dumps(
                        {
                            "stream": stream.value,
                            "clear": clear,
                            "day": day,
                            "node": node,
                            "first": extents.first,
                            "lines": count,
                            "bytes": size,
                            "last": last,
                        },
                        separators=(",", ":"),
                    )
                )
            else:
                lines.append(f"  {day}  {node:<8}{count:>12} lines {size:>15} bytes   last {last[:19]}Z")
        if not as_json and not reading.days():
            lines.append("  nothing yet")
    if not lines and not any(readable.values()):
        output.say("there is nothing here that you may read")
        return 77
    await output.write("".join(f"{line}\n" for line in lines).encode())
    return 0
