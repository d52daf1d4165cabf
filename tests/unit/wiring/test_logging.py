import json
import logging
import sys

from holdfast.kernel.errors import BusyError
from holdfast.wiring.logging import JsonLines


def written(error: Exception) -> dict[str, object]:
    """The line of a record that carries an error."""
    try:
        raise error
    except Exception:
        record = logging.LogRecord("holdfast", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info())
    line: dict[str, object] = json.loads(JsonLines("n1").format(record))
    return line


def test_of_an_unexpected_error_its_words_are_left_out() -> None:
    line = written(ValueError("203.0.113.7 said something personal"))
    assert "203.0.113.7" not in json.dumps(line)
    assert line["error"]["type"] == "ValueError"  # type: ignore[index]


def test_of_a_librarys_words_only_the_template_is_told() -> None:
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "%s: %s", ("Not Found", "/203.0.113.7"), None)
    assert "203.0.113.7" not in JsonLines("console").format(record)


def test_of_an_error_of_ours_code_and_fields_are_told() -> None:
    line = written(BusyError("no-space", "the disk is full", object="segments/x"))
    assert line["error"] == {"code": "no-space", "message": "the disk is full", "fields": {"object": "segments/x"}}
