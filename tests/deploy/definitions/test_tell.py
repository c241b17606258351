"""What `cdp definitions` prints."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy.definitions import tell
from deploy.definitions.asking import Counted, Move
from deploy.definitions.given import check_is_all
from deploy.definitions.history import History, Published
from deploy.definitions.plan import plan
from schemas import folders
from schemas.definitions import key_of
from schemas.errors import ConfigError
from schemas.genesis import found
from schemas.portrait import Model
from schemas.settings import Settings
from tests.schemas.test_graph import lifecycle, segment

DID: dict[str, Any] = {"did": ["Visit"]}
ADA, BOB = "0f2d6c1f-9a3b-5c5d-8e7f-8091a2b3c4d5", "1f2d6c1f-9a3b-5c5d-8e7f-8091a2b3c4d5"


def printed(told: Callable[[Console], None]) -> list[str]:
    console = Console(file=io.StringIO(), width=160)
    told(console)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_one_customer_is_one() -> None:
    alone = Counted({"": 1}, [(ADA, "", {"email": ["ada@b.co"]})], 0)
    lines = printed(lambda console: tell.counted(console, segment("a", DID), alone))
    assert lines[0] == "segment/a/1 holds 1 customer"
    lines = printed(lambda console: tell.counted(console, segment("a", DID), Counted({"": 2_000}, [], 0)))
    assert lines == ["segment/a/1 holds 2,000 customers"]


def test_a_sample_of_a_difference_names_people_as_one_knows_them() -> None:
    sample = [Move(ADA, None, ""), Move(BOB, "", None)]
    known = {ADA: {"email": ["ada@b.co"], "user_id": ["1", "2", "3"]}}
    lines = printed(
        lambda console: tell.moved(console, "segment/a/1", {(None, ""): 1, ("", None): 1}, sample, known)
    )
    assert lines[0] == "segment/a/1: 1 would enter, 1 would leave"
    assert f"{ADA} enters email:ada@b.co, user_id:1, user_id:2 and 1 more" in lines
    assert f"{BOB} leaves" in lines


def test_only_what_a_publication_changed_is_listed() -> None:
    before, after = (
        {"segment/a": 3, "segment/b": 5, "stage new": 7},
        {"segment/a": 4, "segment/b": 5, "stage new": 7},
    )
    assert printed(lambda console: tell.live(console, before, after)) == [
        "customers of before after", "segment/a 3 4", "2 labels with as many customers as before",
    ]  # fmt: skip
    assert printed(lambda console: tell.live(console, {"a": 1}, {"a": 1})) == [
        "1 label with as many customers as before"
    ]


def test_a_rollback_says_what_goes_out_of_force_and_why() -> None:
    first = plan({}, None, [lifecycle(), segment("x", DID)], None, 1)
    log = {key_of(each): each for each in first.definitions}
    back = plan(log, first.model, [lifecycle()], None, 2)
    lines = printed(lambda console: tell.planned(console, back, back=True))
    assert lines == ["model/main/2:", "takes segment/x out of force: it had no earlier version"]
    assert "segment/x is no more" in printed(lambda console: tell.planned(console, back))


def history(models: int) -> History:
    """A segment of ever newer versions."""
    log, made = dict[str, Any](), list[Model]()
    for number in range(1, models + 1):
        planned = plan(
            log, made[-1] if made else None, [lifecycle(), segment("x", DID, number)], f"why {number}", number
        )
        log |= {key_of(each): each for each in planned.definitions}
        made.append(planned.model)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return History(found(Settings(), "d", 0), log, tuple(Published(model, at, None) for model in made))


@pytest.mark.parametrize("name", [None, "segment/x"])
def test_a_history_shows_the_newest_and_counts_the_others(name: str | None) -> None:
    lines = printed(lambda console: tell.told(console, history(25), name, 20))
    assert (lines[1].split()[0], lines[-2].split()[0]) == ("6", "25")
    assert lines[-1] == "and 5 before: `cdp definitions history --all` shows them"
    lines = printed(lambda console: tell.told(console, history(25), name, None))
    assert "why 1" in " ".join(lines)
    assert len(printed(lambda console: tell.told(console, history(20), "segment/x", 20))) == 21


def test_one_file_is_not_taken_for_all_that_shall_be_in_force(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("kind: segment\nname: vip\nwhen: {did: [Visit]}\n")
    with pytest.raises(ConfigError, match=r"segment/x would go out of force.*name the folder") as refused:
        check_is_all(folders.read(file), history(1))
    assert refused.value.where == str(file)
    assert "lifecycle" not in refused.value.what
    check_is_all(folders.read(tmp_path), history(1))
    file.write_text("kind: segment\nname: x\nwhen: {did: [Visit]}\n")
    check_is_all(folders.read(file), history(1))
