"""The store is a copy of its changelog: its due index is its states', and it never claims what it has not."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.changelog import MAX_BESIDE, TOMBSTONES_MS, _local, why_stale
from processors.store import Meta, Store
from schemas.errors import Unavailable
from schemas.state import POSITION_KEY, new_position

META: Meta = {"deployment": "d", "topic": "t.state.v1", "offset": 7, "written_at": 1_000}


def value(due: int | None, size: int = 0) -> bytes:
    return orjson.dumps({"v": 1, "due_at": due, "x": "x" * size})


keys = st.sampled_from([f"{namespace}:{n}" for namespace in "abß" for n in range(4)])
dues = st.none() | st.integers(-(2**60), 2**60)
writes = st.lists(st.dictionaries(keys, dues, max_size=5), max_size=8)


@given(writes, st.lists(st.booleans(), min_size=8, max_size=8), st.integers(-(2**60), 2**60))
@settings(max_examples=25, deadline=None)
def test_the_due_index_is_the_states(
    tmp_path_factory: pytest.TempPathFactory,
    written: list[dict[str, int | None]],
    reopen: list[bool],
    until: int,
) -> None:
    path = tmp_path_factory.mktemp("store") / "0"
    store, now = Store(path, 300), dict[str, int | None]()
    try:
        for batch, again in zip(written, reopen, strict=False):
            states = [(key, value(due)) for key, due in batch.items()]
            store.write(states, [(key, now.get(key), due) for key, due in batch.items()], META)
            now |= batch
            if again:
                store.close()
                store = Store(path, 300)
        expected = sorted((due, key) for key, due in now.items() if due is not None and due <= until)
        found = store.due(until, 100)
        assert sorted(found) == sorted(key for _, key in expected)
        assert [now[key] for key in found] == [due for due, _ in expected]
        assert store.due(until, 2) == found[:2]
        assert store.keys("", 100) == sorted(now, key=str.encode)
        assert {key: store.read(key) for key in now} == {key: value(due) for key, due in now.items()}
    finally:
        store.close()


def test_keys_are_walked_in_pages_without_the_position(tmp_path: Path) -> None:
    store = Store(tmp_path / "0", 1_000)
    written = sorted(["a:1", "p:1", "positioo:1", "z:1", "z:10"])
    store.write([*((key, value(None)) for key in written), (POSITION_KEY, b"{}")], [], META)
    found, last = list[str](), ""
    while page := store.keys(last, 2):
        found += page
        last = page[-1]
    assert found == written
    store.close()


def test_memory_is_bounded(tmp_path: Path) -> None:
    store = Store(tmp_path / "0", 10_000)
    for n in range(100):
        store.write([(f"a:{n}", value(None, 500))], [], META)
    assert store._cached <= 10_000
    assert store._cached == sum(map(len, store._cache.values()))
    assert store.read("a:0") == value(None, 500)
    assert store._cached <= 10_000
    store.close()


DIE = """
import os, sys, orjson
from pathlib import Path
from processors.store import Store
store = Store(Path(sys.argv[1]), 1_000)
for n in range(1, 20_001):
    position = orjson.dumps({"events": n})
    meta = {"deployment": "d", "topic": "t", "offset": n, "written_at": 0}
    store.write([("a:1", orjson.dumps([n, "x" * 2_000])), ("position", position)], [("a:1", n - 1 or None, n)], meta)
os._exit(9)
"""


def test_a_killed_process_leaves_a_store_that_is_behind_but_never_torn(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", DIE, str(tmp_path / "0")], check=False)
    assert killed.returncode == 9
    store = Store(tmp_path / "0", 1_000)
    assert store.meta is not None
    offset = store.meta["offset"]
    assert 0 < offset <= 20_000
    held, position = store.read("a:1"), store.position()
    assert held is not None
    assert position is not None
    assert orjson.loads(held)[0] == position["events"] == offset
    assert store.due(10**9, 10) == ["a:1"]
    assert store.due(offset - 1, 10) == []
    store.close()


def test_what_was_closed_is_all_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "0", 1_000)
    store.write([("a:1", value(5)), (POSITION_KEY, orjson.dumps(new_position()))], [("a:1", None, 5)], META)
    store.close()
    store.close()
    again = Store(tmp_path / "0", 1_000)
    assert (again.meta, again.read("a:1"), again.position()) == (META, value(5), new_position())
    again.close()


@pytest.mark.parametrize(
    ("meta", "end", "now", "why"),
    [
        (None, 0, 0, None),
        (META, 7, 1_000, None),
        (META, 10**9, 1_000, None),
        (META, 6, 1_000, "ahead"),
        ({**META, "deployment": "other"}, 7, 1_000, "another"),
        ({**META, "topic": "t.state.v2"}, 7, 1_000, "another"),
        (META, 7, 1_000 + TOMBSTONES_MS, "tombstones"),
    ],
)
def test_a_store_that_is_no_copy_of_the_changelog_is_found_out(
    meta: Meta | None, end: int, now: int, why: str | None
) -> None:
    found = why_stale(meta, "d", "t.state.v1", end, now)
    assert found is None if why is None else why in str(found)


def test_a_store_that_another_worker_holds_is_opened_beside(tmp_path: Path) -> None:
    held = [_local(tmp_path / "0", 1_000) for _ in range(MAX_BESIDE)]
    assert len({store.path for store in held}) == MAX_BESIDE
    with pytest.raises(Unavailable, match="open in other workers"):
        _local(tmp_path / "0", 1_000)
    for store in held:
        store.close()
    free = _local(tmp_path / "0", 1_000)
    assert free.path == tmp_path / "0"
    free.close()


def test_a_damaged_store_is_given_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "0", 1_000)
    store.write([("a:1", value(5))], [], META)
    store.close()
    (tmp_path / "0/CURRENT").write_text("nonsense")
    again = _local(tmp_path / "0", 1_000)
    assert (again.meta, again.read("a:1")) == (None, None)
    again.close()
