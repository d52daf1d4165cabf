"""Work in threads for a visitor."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, cast

import pytest

from holdfast.gateway.opening import Visitor
from holdfast.kernel.instants import Instant
from holdfast.kernel.names import PersonId, environment_name


class PanicError(BaseException):
    """As polars raises when its Rust code panics: no `Exception`."""


def panicking() -> NoReturn:
    raise PanicError("a line's content")


def test_a_library_that_panics_is_an_error_like_others_and_says_nothing_of_a_line() -> None:
    nothing = cast("Any", None)
    with ThreadPoolExecutor(1) as executor:
        visitor = Visitor(
            PersonId("p_0"),
            "",
            environment_name("acme/main"),
            nothing,
            nothing,
            executor,
            lambda: Instant(0),
            lambda: 0.0,
        )
        with pytest.raises(RuntimeError, match=r"^PanicError in a library$"):
            asyncio.run(visitor.thread(panicking))
