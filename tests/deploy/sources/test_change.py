"""Operators change sources: alone, two at once, and one after another was killed."""

import contextlib
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.sources import log
from deploy.sources.change import MAX_LIVE, add, change, opened, rotate, rotated
from deploy.sources.log import Records, record, sources, write
from schemas.errors import CdpError, ConfigError, NotFound
from schemas.plain import MAX_REASON
from schemas.settings import Settings
from schemas.sources import Source, Terms, key_digest
from tests.processes import SECRET, Process, running

HOUR = 3_600_000


def known(settings: Settings) -> dict[str, Source]:
    return sources(log.read(settings))


def digests(source: Source) -> list[str]:
    return [key.digest for key in source.keys]


def test_what_operators_do_is_in_the_log_with_their_reason(deployment: Settings) -> None:
    key = add(deployment, {"name": "till", "channel": "offline", "trusted": True}, " shop in Jena ")
    till = known(deployment)["till"]
    assert (till.channel, till.trusted, till.because) == ("offline", True, "shop in Jena")
    assert digests(till) == [key_digest(SECRET, key)]

    newer = rotate(deployment, "till", HOUR, "yearly")
    first, second = known(deployment)["till"].keys
    assert (first.until, second.until) == (second.since + HOUR, None)
    assert second.digest == key_digest(SECRET, newer)

    assert change(deployment, "till", {"enabled": False, "enrichment": {"geo": False}}, "closed")
    assert not change(deployment, "till", {"enabled": False}, "closed")
    till = known(deployment)["till"]
    assert (till.enabled, till.trusted, till.enrichment.geo, till.enrichment.agent) == (
        False,
        True,
        False,
        True,
    )
    assert digests(till) == [first.digest, second.digest]


def test_what_cannot_be_is_told_and_changes_nothing(deployment: Settings) -> None:
    before = known(deployment)
    with pytest.raises(ConfigError, match="there is a source of this name already"):
        add(deployment, {"name": "web", "channel": "web"}, "why")
    with pytest.raises(ConfigError, match="unknown namespaces: e-mail"):
        add(deployment, {"name": "till", "channel": "web", "namespaces": ["user_id", "e-mail"]}, "why")
    with pytest.raises(ConfigError, match="rate: must be a whole number"):
        change(deployment, "web", {"rate": "fast"}, "why")
    with pytest.raises(ConfigError, match=r"origins") as caught:
        change(deployment, "web", {"origins": ["shop.example/path"]}, "why")
    assert "https://*.shop.example" in caught.value.what
    assert "'any'" not in caught.value.what, "of two ways to write it, the one that was meant"
    with pytest.raises(ConfigError, match="quota: must be 1000000000000 or less"):
        change(deployment, "web", {"quota": 10**12 + 1}, "why")
    with pytest.raises(ConfigError, match="nothing was given to change"):
        change(deployment, "web", {}, "why")
    for because in ("", "  ", "x" * (MAX_REASON + 1)):
        with pytest.raises(ConfigError, match="a reason is needed"):
            rotate(deployment, "web", 0, because)
    for name in ("nobody", "source/web", ""):
        with pytest.raises(NotFound, match="there is no such source"):
            rotate(deployment, name, 0, "why")
    assert known(deployment) == before


def test_only_so_many_keys_are_in_their_grace() -> None:
    source = opened(Terms.model_validate({"name": "a", "channel": "web"}), f"{0:032x}", 0, "")
    for number in range(1, MAX_LIVE):
        source = rotated(source, f"{number:032x}", number, HOUR, "")
    with pytest.raises(ConfigError, match="5 write keys of it are taken already"):
        rotated(source, "f" * 32, MAX_LIVE, HOUR, "")
    assert digests(rotated(source, "f" * 32, MAX_LIVE, 0, "")) == ["f" * 32]


def test_two_operators_at_once_lose_nothing(deployment: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        added = [pool.submit(add, deployment, {"name": f"s{n}", "channel": "web"}, "why") for n in range(2)]
        keys = [pool.submit(rotate, deployment, "web", HOUR, "why") for _ in range(2)]
    found = known(deployment)
    for number, one in enumerate(added):
        assert digests(found[f"s{number}"]) == [key_digest(SECRET, one.result())]
    assert {key_digest(SECRET, one.result()) for one in keys} < set(digests(found["web"]))
    assert len(found["web"].keys) == 3


def test_who_is_overtaken_makes_it_anew_of_what_the_other_left(deployment: Settings) -> None:
    seen: list[int | None] = []

    def slowly(there: Records) -> Records:
        web = sources(there)["web"]
        seen.append(web.rate)
        if len(seen) == 1:
            assert change(deployment, "web", {"rate": 7}, "the quicker one")
        return dict([record(web.model_copy(update={"quota": 9}))])

    write(deployment, slowly)
    web = known(deployment)["web"]
    assert (seen, web.rate, web.quota) == ([None, 7], 7, 9)


def test_who_is_overtaken_for_ever_is_told(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "ATTEMPTS", 1)

    def slowly(there: Records) -> Records:
        monkeypatch.undo()
        change(deployment, "web", {"rate": 7}, "the quicker one")
        return there

    with pytest.raises(CdpError, match="others change sources"):
        write(deployment, slowly)


def test_an_operator_that_was_killed_leaves_all_of_a_change_or_nothing(deployment: Settings) -> None:
    for number, seconds in enumerate((0.9, 1.3, 1.7)):
        process = Process(
            f"sources add s{number} --channel web --because why", deployment, name=f"add-{number}"
        )
        with running(process), contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    add(deployment, {"name": "last", "channel": "web"}, "why")
    found = known(deployment)
    assert "last" in found
    assert all(len(source.keys) == 1 for source in found.values())
