"""`cdp import` into a real log: each row once, whatever happens on the way."""

import csv
import gzip
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaConsumer, TopicPartition

from deploy.sources.change import change
from deploy.sources.log import write
from schemas.plan import Plan, key_of
from schemas.settings import Settings
from schemas.topics import EVENTS, partition_of
from tests.deploy.test_cli import cdp
from tests.ingest.servers import read
from tests.processes import Process, environment, running
from tests.servers import Broker
from tests.waiting import until

MAPPING = """
kind: mapping
name: till
source: pos
events:
  - event: Visit
    identifiers: {user_id: who}
    time: at
    message_id: [no]
    properties: {total: {column: total, type: money}, place: place}
"""
BY_CONTENT = MAPPING.replace("    message_id: [no]\n", "")
MANY = 40_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.yaml").write_text(MAPPING)
    return tmp_path


def table(path: Path, rows: Iterator[tuple[object, ...]] | list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("no", "who", "at", "total", "place"))
        out.writerows(rows)
    return path


def row(number: int, total: str = "1.50") -> tuple[object, ...]:
    return number, f"u{number % 1_000}", "2026-05-01T10:00:00", total, "Mitte"


def run(settings: Settings, *paths: Path, mapping: str = "m.yaml") -> subprocess.CompletedProcess[str]:
    file = paths[0].parent / mapping
    return cdp("import", *map(str, paths), "--mapping", str(file), env=environment(settings))


def importing(settings: Settings, path: Path, name: str = "import") -> Process:
    return Process(f"import {path} --mapping {path.parent / 'm.yaml'}", settings, name)


def counts(settings: Settings) -> Counter[str]:
    """How often each messageId is in the log."""
    return Counter(orjson.loads(record.value)["message_id"] for record in read(settings, EVENTS))


def end_of(settings: Settings) -> int:
    """Records of the events topic, with what is not committed."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka)
    try:
        topic = EVENTS.name(settings.namespace)
        ends = consumer.end_offsets([TopicPartition(topic, number) for number in range(settings.partitions)])
        return sum(ends.values())
    finally:
        consumer.close()


def once(numbers: range) -> Counter[str]:
    return Counter(f"till/Visit/{number}" for number in numbers)


def reported(path: Path) -> list[dict[str, Any]]:
    return [
        orjson.loads(line)
        for line in path.with_name(path.name + ".rejected.ndjson").read_bytes().splitlines()
    ]


def test_a_row_is_an_event_as_the_source_itself_would_send_it(deployment: Settings, folder: Path) -> None:
    done = run(deployment, table(folder / "a.csv", [row(7)]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("a.csv: 1 rows: 1 events")
    (record,) = read(deployment, EVENTS)
    assert record.partition == partition_of(record.key, deployment.partitions)
    assert record.headers == {"keys": record.key}
    event = orjson.loads(record.value)
    assert event["received_at"] == record.timestamp
    assert (event["source"], event["channel"], event["name"]) == ("pos", "offline", "Visit")
    assert event["identifiers"] == {"user_id": ["u7"]}
    assert event["properties"] == {"total": "1.5", "place": "Mitte"}
    assert event["original_timestamp"] == "2026-05-01T10:00:00.000Z"
    assert event["context"] == {
        "original": {"no": "7", "who": "u7", "at": "2026-05-01T10:00:00", "total": "1.50", "place": "Mitte"}
    }


def test_the_same_rows_count_once_however_their_file_is_called_packed_and_sorted(
    deployment: Settings, folder: Path
) -> None:
    path = table(folder / "a.csv", map(row, range(50)))
    assert run(deployment, path).returncode == 0
    again = run(deployment, path)
    assert (again.returncode, again.stdout) == (0, "a.csv: imported before, all 50 rows; nothing to do\n")
    (folder / "b.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    other = run(deployment, folder / "b.csv.gz", table(folder / "c.csv", map(row, range(60, 20, -1))))
    assert other.stdout.splitlines()[0].startswith("b.csv.gz: 50 rows: 0 events, 50 in the log before")
    assert other.stdout.splitlines()[1].startswith("c.csv: 40 rows: 11 events, 29 in the log before")
    assert counts(deployment) == once(range(61))


def test_equal_rows_are_as_many_events(deployment: Settings, folder: Path) -> None:
    (folder / "m.yaml").write_text(BY_CONTENT)
    rows = [row(1), row(2), row(1), row(3), row(1)]
    assert run(deployment, table(folder / "a.csv", rows)).returncode == 0
    assert run(deployment, table(folder / "b.csv", [*reversed(rows), row(1), row(4)])).returncode == 0
    who = Counter(
        orjson.loads(record.value)["identifiers"]["user_id"][0] for record in read(deployment, EVENTS)
    )
    assert who == {"u1": 4, "u2": 1, "u3": 1, "u4": 1}
    assert set(counts(deployment).values()) == {1}


@pytest.mark.parametrize("mapping", [MAPPING, BY_CONTENT], ids=["by id", "by content"])
def test_killed_anywhere_it_goes_on_and_each_row_counts_once(
    deployment: Settings, folder: Path, mapping: str
) -> None:
    (folder / "m.yaml").write_text(mapping)
    path = table(
        folder / "a.csv", (row(number, "x" if number % 10_000 == 5 else "2") for number in range(MANY))
    )
    for more in (1, 12_000):  # in the first load, of which nothing is kept; and in the second
        aim = end_of(deployment) + more
        process = importing(deployment, path)
        with running(process):
            until(lambda: end_of(deployment) >= aim, "some of it is in the log")  # noqa: B023
    done = run(deployment, path)
    assert done.returncode == 1
    assert "going on after row" in done.stderr
    assert f"{MANY:,} rows: {MANY - 4:,} events, 4 rejected" in done.stdout
    found = counts(deployment)
    assert (len(found), set(found.values())) == (MANY - 4, {1})
    assert [each["line"] for each in reported(path)] == [number + 2 for number in range(5, MANY, 10_000)]
    again = run(deployment, path)  # what was rejected is tried again
    assert f"0 events, {MANY - 4:,} in the log before, 4 rejected" in again.stdout
    assert len(reported(path)) == 4


def test_interrupted_it_says_how_to_go_on(deployment: Settings, folder: Path) -> None:
    path, before = table(folder / "a.csv", map(row, range(MANY))), end_of(deployment)
    process = importing(deployment, path)
    with running(process):
        until(lambda: end_of(deployment) > before, "some of it is in the log")
        process.send(signal.SIGINT)
        assert process.wait(20) == 1
    assert process.said().endswith(
        "error: interrupted\nhint: run the same command again: it goes on where it was\n"
    )
    assert run(deployment, path).returncode == 0
    assert counts(deployment) == once(range(MANY))


def test_interrupted_while_its_processes_start_it_says_the_same(deployment: Settings, folder: Path) -> None:
    process = importing(deployment, table(folder / "a.csv", map(row, range(MANY))))
    with running(process):
        until(lambda: "spawn_main" in _children(process.pid), "its processes start", every=0.005)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(20) == 1
    assert process.said() == (
        "error: interrupted\nhint: run the same command again: it goes on where it was\n"
    )


def _children(parent: int) -> str:
    """The command lines of the processes that one started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return "".join(Path(f"/proc/{child}/cmdline").read_text() for child in children)


def test_where_kafka_goes_away_it_ends_and_says_how_to_go_on(
    deployed: Callable[..., Settings], own_broker: Broker, folder: Path
) -> None:
    settings = deployed(kafka=own_broker.address)
    path, before = table(folder / "a.csv", map(row, range(MANY))), end_of(settings)
    process = importing(settings, path)
    with running(process):
        until(lambda: end_of(settings) > before, "some of it is in the log")
        own_broker.kill()
        assert process.wait(90) == 1
    assert "error: Kafka does not take it: " in process.said()
    assert process.said().endswith("hint: run the same command again: it goes on where it was\n")
    own_broker.start()
    assert run(settings, path).returncode == 0
    assert counts(settings) == once(range(MANY))


def test_two_at_once_are_refused_on_one_machine_and_harmless_on_two(
    deployment: Settings, folder: Path
) -> None:
    path, before = table(folder / "a.csv", map(row, range(MANY))), end_of(deployment)
    elsewhere = deployment.model_copy(update={"home": folder / "elsewhere"})
    elsewhere.home.mkdir()
    first, other = importing(deployment, path), importing(elsewhere, path)
    with running(first):
        until(lambda: end_of(deployment) > before, "some of it is in the log")
        first.pause()
        refused = run(deployment, path)
        assert refused.stderr.startswith("error: an import of this source is running\nwhere: pos\n")
        with running(other):
            assert other.wait(60) == 0
        first.resume()
        assert first.wait(60) == 1
    assert "error: another import of this source has taken over\n" in first.said()
    assert counts(deployment) == once(range(MANY))


def test_rejected_rows_are_reported_and_come_in_with_a_better_mapping(
    deployment: Settings, folder: Path
) -> None:
    lines = [
        b"no,who,at,total,place", b"1,ada,2026-05-01,1.50,x", b"2,ada,01.05.2026,1.50,x", b"3,ada,2026-05-01,1.5o,x",
        b"4,guest,2026-05-01,1,x", b"5,ada,2026-05-01,1", b"6,ad\xe4,2026-05-01,1,x", b"7,ben,2026-05-01,7,x",
    ]  # fmt: skip
    path = folder / "a.csv"
    path.write_bytes(b"\n".join(lines))
    done = run(deployment, path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "  bad_amount: 1", "  invalid: 1", "  malformed: 2", "  no_identifier: 1",
        f"  each with its line and reason: {path}.rejected.ndjson",
    ]  # fmt: skip
    assert [(each["line"], each["reason"]) for each in reported(path)] == [
        (3, "invalid"), (4, "bad_amount"), (5, "no_identifier"), (6, "malformed"), (7, "malformed"),
    ]  # fmt: skip
    assert reported(path)[0]["row"]["at"] == "01.05.2026"
    assert reported(path)[4]["text"].startswith("6,ad")
    assert counts(deployment) == Counter(["till/Visit/1", "till/Visit/7"])

    better = MAPPING.replace("kind: mapping", "kind: mapping\ncsv: {encoding: latin-1}").replace(
        ", type: money", ""
    )
    (folder / "m.yaml").write_text(better)
    done = run(deployment, path)
    assert "2 events, 2 in the log before, 3 rejected" in done.stdout
    assert counts(deployment) == once(range(1, 8)) - Counter(f"till/Visit/{number}" for number in (2, 4, 5))


def test_a_report_is_of_the_last_run_or_of_one_that_was_killed(deployment: Settings, folder: Path) -> None:
    path = table(folder / "a.csv", [row(1), row(2, total="much")])
    report = path.with_name("a.csv.rejected.ndjson")
    (folder / "worse.yaml").write_text(MAPPING.replace("place: place", "place: plaice"))
    assert run(deployment, path).returncode == 1
    assert [each["line"] for each in reported(path)] == [3]
    assert "has no column plaice" in run(deployment, path, mapping="worse.yaml").stderr
    assert not report.exists()

    lines = [row(number, total="much" if number == 5 else "1") for number in range(MANY)]
    path, before = table(path, lines), end_of(deployment)
    process = importing(deployment, path)
    with running(process):
        until(lambda: end_of(deployment) > before + 12_000, "the first load is committed")
        process.kill()
    assert "has no column plaice" in run(deployment, path, mapping="worse.yaml").stderr
    assert [each["line"] for each in reported(path)] == [7]
    assert run(deployment, path).returncode == 1
    assert [each["line"] for each in reported(path)] == [7]


def test_a_plan_of_the_source_holds_for_imports(deployment: Settings, folder: Path) -> None:
    event = {
        "name": "Visit",
        "on_violation": "reject",
        "properties": {"properties": {"place": {"const": "Mitte"}}},
    }
    said = {
        "kind": "plan",
        "source": "pos",
        "events": [event],
        "version": 1,
        "published_at": 0,
        "because": "x",
    }
    plan = Plan.model_validate(said)
    write(deployment, lambda _: {key_of(plan): plan.model_dump_json().encode()})
    path = table(folder / "a.csv", [row(1), (*row(2)[:4], "West")])
    assert "1 events, 1 rejected" in run(deployment, path).stdout
    assert [(each["line"], each["reason"]) for each in reported(path)] == [(3, "plan_violation")]


def test_a_damaged_file_is_told_and_what_is_before_the_damage_is_imported(
    deployment: Settings, folder: Path
) -> None:
    whole = gzip.compress(table(folder / "a.csv", map(row, range(MANY))).read_bytes())
    (folder / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    done = run(deployment, folder / "a.csv.gz")
    assert done.returncode == 1
    assert done.stderr.startswith("error: cut off or damaged after row ")
    found = counts(deployment)
    assert 0 < len(found) < MANY
    (folder / "a.csv.gz").write_bytes(whole)
    assert run(deployment, folder / "a.csv.gz").returncode == 0
    assert counts(deployment) == once(range(MANY))


def test_a_pipe_is_refused_at_once(deployment: Settings, folder: Path) -> None:
    pipe = folder / "a.csv"
    os.mkfifo(pipe)
    done = run(deployment, pipe)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: this is no regular file\nwhere: {pipe}\n")


def _no_source(text: str) -> str:
    return text.replace("source: pos\n", "")


@pytest.mark.parametrize(
    ("change_mapping", "told"),
    [
        (_no_source, "whose events are these?"),
        (lambda text: text.replace("pos", "nobody"), "there is no such source"),
        (lambda text: text.replace("user_id", "passport"), "unknown namespace 'passport'"),
        (lambda text: text.replace("user_id", "shop_customer"), "shop_customer is written shop_customer/SCOPE"),
        (lambda text: text.replace("place: place", "place: plaice"), "a.csv has no column plaice"),
        (lambda text: text.replace("pos", "web").replace("user_id", "membership_card"), "source web may not assert"),
    ],
    ids=["whose", "source", "namespace", "scope", "column", "asserts"],
)  # fmt: skip
def test_what_can_only_be_wrong_is_told_before_any_row(
    deployment: Settings, folder: Path, change_mapping: Callable[[str], str], told: str
) -> None:
    (folder / "m.yaml").write_text(change_mapping(MAPPING))
    done = run(deployment, table(folder / "a.csv", [row(1)]))
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert done.stderr.startswith("error: ")
    assert read(deployment, EVENTS) == []


def test_a_disabled_source_takes_no_imports(deployment: Settings, folder: Path) -> None:
    change(deployment, "pos", {"enabled": False}, "a test")
    assert "this source is disabled" in run(deployment, table(folder / "a.csv", [row(1)])).stderr
