"""The example imports as a newcomer runs them, and what the profiles then show."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast

import pyarrow.csv
import pyarrow.parquet
import pytest

from projections.connect import connect
from projections.migrate import migrate
from schemas.settings import Settings
from tests.deploy.test_cli import cdp
from tests.processes import Process, environment, running
from tests.waiting import until

EXAMPLES = Path(__file__).parents[2] / "docs/examples/import"
COLUMNS = "event_counts, revenue, refunded, stored_value, contracts, renewals, contract_end, traits, channels"
ROWS = 19
"""Of all examples, but for the ticket of who did not come."""


@pytest.fixture
def live(platform: Settings) -> Iterator[Settings]:
    """Everything but ingest, which an import does not need."""
    migrate(platform)
    with running(*(Process(name, platform) for name in ("sink", "worker"))):
        yield platform


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """The examples, the cards also as Parquet."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    as_texts = pyarrow.csv.ConvertOptions(column_types={"card": "string", "movement": "string"})
    cards = pyarrow.csv.read_csv(folder / "card-movements.synthetic.csv", convert_options=as_texts)
    pyarrow.parquet.write_table(cards, folder / "card-movements.synthetic.parquet")
    (folder / "card-movements.synthetic.csv").unlink()
    return folder


def ask(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with connect(settings) as client:
        return cast("list[tuple[Any, ...]]", client.execute(sql))


def profile(settings: Settings, namespace: str, value: str) -> dict[str, Any]:
    ((found),) = ask(
        settings, f"SELECT {COLUMNS} FROM profiles WHERE has(identifiers['{namespace}'], '{value}')"
    )
    return dict(zip(COLUMNS.split(", "), found, strict=True))


def test_every_example_is_imported_and_seen_in_the_profiles(live: Settings, examples: Path) -> None:
    done = cdp("sources", "set", "pos", "--phone-region", "DE", "--because", "tests", env=environment(live))
    assert done.returncode == 0, done.stderr
    for mapping in sorted(examples.glob("*.yaml")):
        (file,) = examples.glob(f"{mapping.stem}.synthetic.*")
        done = cdp("import", str(file), "--mapping", str(mapping), "--source", "pos", env=environment(live))
        assert (done.returncode, "rejected" in done.stdout) == (0, False), done.stdout + done.stderr
    until(lambda: ask(live, "SELECT sum(events) FROM profiles") == [(ROWS,)], "all of it is in the profiles")
    # While customers merge, what is in two places for a moment may make up for what is in none.
    for check in (_receipts_and_a_ticket, _calls_a_contract_and_visits, _a_card):
        with contextlib.suppress(AssertionError):
            until(partial(_holds, check, live), "the merges are through", 30)
        check(live)
    assert ask(live, "SELECT sum(events) FROM profiles") == [(ROWS,)]
    assert ask(live, "SELECT count() FROM events WHERE source = 'pos'") == [(ROWS,)]


def _holds(check: Callable[[Settings], None], settings: Settings) -> bool:
    try:
        check(settings)
    except (AssertionError, ValueError):
        return False
    return True


def _receipts_and_a_ticket(settings: Settings) -> None:
    ada = profile(settings, "membership_card", "M1001")
    assert ada["event_counts"] == {"Order Completed": 2, "Order Refunded": 1, "Event Attended": 1}
    assert (ada["revenue"], ada["refunded"], ada["channels"]) == (0, 0, {"offline": 4})
    money = "SELECT revenue_by_currency['EUR'], refunded_by_currency['EUR'] FROM profiles"
    assert ask(settings, f"{money} WHERE has(identifiers['email'], 'ada@example.org')") == [
        (Decimal("1299.9"), 30)
    ]
    asked = "SELECT toString(occurred_at) FROM events WHERE message_id = 'pos-receipts/Order Completed/B01/100232'"
    assert ask(settings, asked) == [("2026-03-29 01:30:00.000",)]  # 02:30, which the clocks left out


def _calls_a_contract_and_visits(settings: Settings) -> None:
    cleo, dan = profile(settings, "email", "cleo@example.org"), profile(settings, "user_id", "7002")
    assert cleo["event_counts"] == {"Event Attended": 1, "Call Noted": 1}
    assert cleo["traits"] == '{"name":"Cleo"}'
    assert dan["event_counts"] == {"Phone Left": 1, "Contract Signed": 1, "Visit": 1}
    member = profile(settings, "user_id", "7001")
    assert (member["contracts"], member["renewals"], str(member["contract_end"])) == (1, 1, "2028-01-31")
    assert member["event_counts"]["Visit"] == 3


def _a_card(settings: Settings) -> None:
    eve = profile(settings, "email", "eve@example.org")
    assert eve["stored_value"] == {"EUR": 30}
    assert eve["event_counts"] == {"Signed Up": 1, "Value Loaded": 1, "Value Spent": 2}
    assert eve["traits"] == '{"birthday":"1990-07-14","program":"gold card"}'
