import pytest

from holdfast.formats.commands import Help, Logs, Prove, Streams, parse_command
from holdfast.kernel.errors import MalformedError
from holdfast.kernel.instants import Instant, parse_rfc3339
from holdfast.kernel.names import NodeName, Stream

NOW = parse_rfc3339("2026-11-24T06:00:00Z")


def test_times_are_ago_or_days_or_utc() -> None:
    told = {
        "1h": "2026-11-24T05:00:00Z",
        "2d": "2026-11-22T06:00:00Z",
        "2026-11-01": "2026-11-01T00:00:00Z",
        "2026-11-01T10:20": "2026-11-01T10:20:00Z",
        "2026-11-01T10:20:30.5Z": "2026-11-01T10:20:30.5Z",
    }
    for text, instant in told.items():
        assert parse_command(f"logs app --since {text}", NOW) == Logs(Stream.APP, since=parse_rfc3339(instant))


def test_words_are_split_like_a_shell_does() -> None:
    assert parse_command("logs --grep='a b' web-access --status 5xx --path '/x y'", NOW) == Logs(
        Stream.WEB_ACCESS, grep="a b", status="5xx", path="/x y"
    )
    assert parse_command("prove app n1:12", NOW) == Prove(Stream.APP, NodeName("n1"), 12)
    assert parse_command("streams --json", NOW) == Streams(json=True)
    assert parse_command("help", NOW) == Help()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rm -rf /",
        "logs",
        "logs app system",
        "logs app --since",
        "logs app --since yesterday",
        "logs app --since ١h",
        "logs app --since 0h",
        "logs app --last +5",
        "logs app --last 1_0",
        "logs app --follow --until 1h",
        "logs app --since 1h --until 2h",
        "logs app --status 404",
        "logs web-access --status 9xx",
        "logs app --json --json=1",
        "logs app --grep a --grep b",
        "logs app 'x",
        "logs app --follow x" + "y" * 9000,
        "prove app -1",
        "prove app keeper:1",
        "help me",
    ],
)
def test_anything_else_is_a_usage_error_that_repeats_nothing(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_command(text, Instant(NOW))
    assert caught.value.code == "usage"
    assert "yesterday" not in caught.value.message
