"""The frames of a syslog connection that came in these chunks."""

from holdfast.formats.syslog.framing import MAX_FRAME, Framer


def frames(*chunks: bytes, max_frame: int = MAX_FRAME) -> list[bytes]:
    """Every frame, in order, with what the end of the connection gives."""
    framer, found = Framer(max_frame), []
    for chunk in chunks:
        framer.receive(chunk)
        if (lines := framer.take()) is not None:
            found += lines.tolist()
    if (lines := framer.close()) is not None:
        found += lines.tolist()
    return found
