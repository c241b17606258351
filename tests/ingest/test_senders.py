from typing import Any

import pytest

from ingest.senders import sender


def asking(*forwarded: str, client: object = ("10.0.0.9", 4711)) -> dict[str, Any]:
    lines = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return {"client": client, "headers": [(b"user-agent", b"Mozilla/5.0"), *lines]}


@pytest.mark.parametrize(
    ("hops", "forwarded", "ip"),
    [
        (0, [], "10.0.0.9"),
        (0, ["1.2.3.4"], "10.0.0.9"),  # anybody can write that
        (1, ["1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        (2, ["6.6.6.6, 1.2.3.4,10.0.0.1"], "1.2.3.4"),
        (2, ["1.2.3.4"], "10.0.0.9"),  # it came past the proxies
        (1, [], "10.0.0.9"),
    ],
)
def test_the_address_is_the_one_that_the_first_own_proxy_saw(
    hops: int, forwarded: list[str], ip: str
) -> None:
    assert sender(asking(*forwarded), hops) == ("Mozilla/5.0", ip)


def test_who_tells_nothing_is_nobody() -> None:
    assert sender({"client": None, "headers": []}, 0) == ("", "")
