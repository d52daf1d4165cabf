import io
import json

from holdfast.wiring.eventlines import EventLines


class Terminal(io.StringIO):
    """What says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def painted(lines: list[bytes]) -> str:
    """What a terminal gets of a child's own lines."""
    out = Terminal()
    events = EventLines(out)
    for line in lines:
        events.passed("n1", line)
    return out.getvalue()


def test_in_a_pipe_every_line_is_json() -> None:
    out = io.StringIO()
    events = EventLines(out)
    events.event("n1", "died", "error", signal="SIGKILL")
    events.passed("n1", b'{"event": "serving", "level": "info", "process": "n1"}')
    events.passed("n1", b"Traceback \xff\x1b[31m")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines[0]["event"] == "died"
    assert lines[0]["fields"] == {"signal": "SIGKILL"}
    assert lines[1]["event"] == "serving"
    assert lines[2]["process"] == "n1"


def test_on_a_terminal_an_event_is_one_line_for_a_person() -> None:
    out = Terminal()
    EventLines(out).event("n1", "died", "error", signal="SIGKILL")
    assert out.getvalue().count("\n") == 1
    assert "died" in out.getvalue()
    assert "SIGKILL" in out.getvalue()


def test_nothing_a_child_writes_moves_the_terminal() -> None:
    hostile = b"\x1b]0;owned\x07\x1b[2J\r\x9b31m"
    as_json = json.dumps({"event": hostile.decode("latin-1"), "level": "info", "fields": {"a": "\x1b[2J"}}).encode()
    for text in (painted([hostile]), painted([as_json])):
        assert "owned" in text
        assert not {"\x07", "\r", "\x9b"} & set(text)
        assert "\x1b]" not in text
        assert "\x1b[2J" not in text
