"""`cdp definitions` as an operator types it, on a platform that runs."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.definitions import finish
from deploy.definitions.live import wait_until_shown
from deploy.definitions.publish import publish
from projections.connect import connect
from schemas import folders
from schemas.changes import customer_id
from schemas.errors import CdpError
from schemas.settings import Settings
from tests.integration.shop import BUYERS, FREQUENT, MORE, expected, folder, history, united
from tests.integration.test_definitions import quiet, shop, shop_lifecycle, visible
from tests.processes import Process, environment, running

__all__ = ["shop"]
Typed = Callable[..., str]


def typing(settings: Settings) -> Typed:
    """Types commands; gives what they print, or the error that they end with."""

    def typed(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(
            app, ["definitions", *words], env={**environment(settings), "COLUMNS": "40"}
        )
        assert done.exit_code == code, (done.output, done.exception)
        if code != 1:
            return done.stdout
        assert isinstance(done.exception, CdpError)
        return str(done.exception)

    return typed


def test_from_a_folder_to_full_membership_and_back(shop: Settings, tmp_path: Path) -> None:
    typed, past = typing(shop), [*history(11, 40, 400), *united(40)]
    path = folder(tmp_path / "second", BUYERS, *MORE)
    now = expected(path, shop_lifecycle(), past)
    frequent = {id_ for id_, labels in now.items() if "segment/frequent" in labels}
    with running(Process("worker", shop), Process("sink", shop)):
        visible(shop, past)
        assert "valid: 1 lifecycle, 1 role, 1 tag, 4 segment; 9 things to remember" in typed(
            "validate", str(path)
        )

        told = typed("preview", "segment/frequent", str(path))
        assert f"segment/frequent/1 holds {len(frequent)} customers" in told
        assert sum(id_ in told for id_ in frequent) == min(10, len(frequent))
        assert "there is no segment/frequent" in typed("preview", "segment/frequent", code=1), (
            "not in force yet"
        )
        assert typed("preview", "frequent", str(path)) == told, "by its name alone"
        stages = typed("preview", "stage")
        assert "lifecycle/ecommerce/1 holds 40 customers" in stages
        assert stages == typed("preview", "lifecycle/ecommerce")
        by_taste = typed("preview", "tag/taste", str(path))
        assert all(taste in by_taste for taste in ("red", "wide"))

        told = typed("diff", str(path), "--name", "segment/frequent")
        assert "model/main/2:" in told
        assert f"segment/frequent/1: {len(frequent)} would enter, 0 would leave" in told
        rows = list(csv.DictReader(typed("diff", str(path), "--all", "csv").splitlines()))
        entering = {row["customer_id"] for row in rows if row["definition"] == "segment/frequent/1"}
        assert entering == frequent
        lines = [json.loads(line) for line in typed("diff", str(path), "--all", "json").splitlines()]
        assert {
            line["customer_id"] for line in lines if line["definition"] == "segment/frequent/1"
        } == frequent
        assert {line["was"] for line in lines} == {None}
        assert len(lines) == len(rows)

        told = typed("publish", str(path), "--because", "more to say")
        assert "model/main/2 is in force" in told
        assert f"segment/frequent  0       {len(frequent)}" in told
        assert "segment/buyers" not in told, "it is as it was"
        assert "labels with as many customers as before" in told
        assert "nothing differs from what is in force" in typed("publish", str(path), "--because", "again")
        assert "all 40 customers carry exactly what ClickHouse finds" in typed("audit")

        told = typed("history")
        assert [word in told for word in ("founded", "more to say", "segment/frequent is new")] == [True] * 3
        assert "founded" not in typed("history", "segment/frequent")
        assert "founded" not in typed("history", "frequent")
        refused = typed("history", "segment/nothing", code=1)
        assert "segment/nothing was never published | KIND/NAME | there are lifecycle/ecommerce" in refused

        refused = typed("rollback", "segment/frequent", "--because", "x", code=1)
        assert "role/fan: when.all.0.segment: no segment named frequent" in refused
        folder(
            tmp_path / "second",
            BUYERS,
            FREQUENT | {"version": 2, "when": {"not": FREQUENT["when"]}},
            *MORE[1:],
        )
        told = typed("diff", str(path), "--name", "segment/frequent")
        assert f"{40 - len(frequent)} would enter, {len(frequent)} would leave" in told
        typed("publish", str(path), "--because", "the others")
        assert "segment/frequent 2 -> 1" in typed("rollback", "segment/frequent", "--because", "no, those")
        wait_until_shown(shop, quiet)
        with connect(shop) as client:
            live = client.execute("SELECT customer_id FROM portraits WHERE name = 'frequent'")
            assert {str(id_) for (id_,) in live} == frequent
            assert "all 40" in typed("audit")
            other = next(n for n in range(40) if customer_id(f"user_id:{n}") not in frequent)
            client.execute(
                "INSERT INTO events_raw (key, source, message_id, type, name, occurred_at, received_at, properties) "
                f"SELECT 'user_id:{other}', 'x', toString(number), 'track', 'Visit', t, t, '{{}}' "
                "FROM (SELECT arrayJoin(range(5)) AS number, max(logical_at) OVER () AS t FROM profiles LIMIT 5)"
            )
        told = typed("audit", code=3)
        assert "1 of 40 customers differ" in told
        assert customer_id(f"user_id:{other}") in told


def test_files_are_edited_in_place_and_a_preset_is_tried_on_another(shop: Settings, tmp_path: Path) -> None:
    typed, bare = typing(shop), {name: value for name, value in BUYERS.items() if name != "version"}
    path = folder(tmp_path / "second", bare, FREQUENT)
    with running(Process("worker", shop), Process("sink", shop)):
        visible(shop, [*history(11, 20, 100), *united(20)])
        assert "segment/frequent is new" in typed("publish", str(path), "--because", "more")
        folder(tmp_path / "second", bare | {"when": {"did": ["Order Completed"]}}, FREQUENT)
        assert "segment/buyers 1 -> 2" in typed("diff", str(path))
        assert "segment/buyers/1 holds" in typed("preview", "buyers")
        assert "segment/buyers/2 holds" in typed("preview", "buyers", str(path))
        assert "segment/buyers 1 -> 2" in typed("publish", str(path), "--because", "edited")
        assert "nothing differs" in typed("publish", str(path), "--because", "again")
        assert "tag/visits is new" in typed("diff", "gym", "--name", "tag/visits")

        only = str(path / "1.json")
        for words in (("diff", only), ("publish", only, "--because", "x")):
            assert "segment/buyers would go out of force" in typed(*words, code=1)
        assert "valid" in typed("validate", only)
        assert "segment/frequent/1 holds" in typed("preview", "frequent", only)

        assert "segment/buyers 2 -> 1" in typed("rollback", "buyers", "--because", "back")
        told = typed("rollback", "frequent", "--because", "away")
        assert "takes segment/frequent out of force: it had no earlier version" in told


def test_a_publisher_whose_publication_another_finishes_says_so(
    shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed, path = typing(shop), folder(tmp_path / "second", BUYERS, FREQUENT)
    other, third = (
        folder(tmp_path / "other", BUYERS, FREQUENT, *MORE[1:2]),
        folder(tmp_path / "third", BUYERS),
    )
    wait_for_past, then = finish._wait_for_past, list[Path]()

    def overtaken(*arguments: Any) -> None:
        wait_for_past(*arguments)
        if then:
            publish(shop, folders.read(then.pop()), "the second", quiet)

    monkeypatch.setattr(finish, "_wait_for_past", overtaken)
    with running(Process("worker", shop), Process("sink", shop)):
        visible(shop, [*history(11, 20, 100), *united(20)])
        then.append(path)
        told = typed("publish", str(path), "--because", "the first")
        assert "in force: finished by another publisher" in told
        assert "model/main/2 is in force" in told
        then.append(third)
        refused = typed("publish", str(other), "--because", "the first", code=1)
        assert "another publisher has taken over" in refused
        assert "in force is model/main/4, published because: the second" in refused


def test_what_cannot_be_published_is_refused_with_its_place_and_leaves_nothing(
    shop: Settings,
    tmp_path: Path,
) -> None:
    typed = typing(shop)
    bad = FREQUENT | {"when": {"all": [{"segment": "buyers"}, {"segment": "nobody"}]}}
    path = str(folder(tmp_path / "bad", BUYERS, bad))
    for words in (("validate", path), ("diff", path), ("publish", path, "--because", "x"),
                  ("preview", "segment/frequent", path)):  # fmt: skip
        assert "segment/frequent: when.all.1.segment: no segment named nobody" in typed(*words, code=1)
    changed = str(folder(tmp_path / "changed", BUYERS | {"when": {"did": ["x"]}}))
    assert "segment/buyers/1 is in the log with another content" in typed(
        "publish", changed, "--because", "x", code=1
    )
    assert "no such folder of definitions" in typed(
        "publish", str(tmp_path / "nowhere"), "--because", "x", code=1
    )
    assert "lifecycle/ecommerce has no earlier version" in typed(
        "rollback", "lifecycle/ecommerce", "--because", "x", code=1
    )
    assert "a reason is needed" in typed("rollback", "segment/nobody", "--because", "", code=1)
    assert "segment/nobody is not in force" in typed("rollback", "segment/nobody", "--because", "x", code=1)
    told = typed("history")
    assert "founded" in told
    assert "2" not in told.split("because")[1].split("founded")[0].split()[0]
