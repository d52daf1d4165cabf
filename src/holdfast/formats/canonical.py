"""RFC 8785 canonical JSON (JCS) ⇄ values.

Numbers are limited to integers that a double holds exactly (|n| < 2^53); everything larger travels as a string
(formats, first paragraph). Reading is strict: what does not read back to the same bytes is refused.
"""

import json
from collections.abc import Mapping, Sequence

from holdfast.kernel.errors import MalformedError

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]

_LIMIT = 2**53


def _check(value: Json) -> None:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int):
        if not -_LIMIT < value < _LIMIT:
            raise MalformedError("json-number", "an integer past 2^53 must be written as a string")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, str):
                raise MalformedError("json-name", "a member's name must be a string")
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    else:
        raise MalformedError("json-value", "only null, booleans, integers, strings, lists and objects are written")


def _sorted(value: Json) -> Json:
    # RFC 8785 3.2.3 sorts names by UTF-16 code units, which is not Python's order beyond the BMP.
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return {name: _sorted(value[name]) for name in names}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


def dump(value: Json) -> bytes:
    """The canonical bytes of a value. Raises MalformedError for what JCS or this format cannot hold."""
    _check(value)
    try:
        return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        raise MalformedError("json-text", "a lone surrogate cannot be written") from None


def load(data: bytes) -> Json:
    """The value of canonical bytes; anything but exactly those bytes is refused."""
    try:
        value: Json = json.loads(data.decode())
        if dump(value) == data:
            return value
    except (ValueError, RecursionError, MalformedError):
        pass
    raise MalformedError("json", "not canonical JSON (RFC 8785)")


def load_object(data: bytes) -> Mapping[str, Json]:
    """The object of canonical bytes; anything else is refused."""
    value = load(data)
    if isinstance(value, Mapping):
        return value
    raise MalformedError("json-object", "a JSON object was expected")
