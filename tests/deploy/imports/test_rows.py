"""Files as rows: each with its number, what is none told as that line, in bounded memory."""

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from deploy.imports.files import look
from deploy.imports.lines import MAX_LINE
from deploy.imports.load import LOAD_ROWS, Broken
from deploy.imports.prepare import rows
from deploy.imports.rows import header, loads
from schemas.errors import ConfigError
from schemas.mapping import Csv

COMMA = Csv()


def read(path: Path, written: Csv = COMMA) -> tuple[list[tuple[int, dict[str, Any]]], list[Broken]]:
    """Every row with its number, and the broken lines."""
    broken, found = list[Broken](), list[tuple[int, dict[str, Any]]]()
    for load in loads(look(path), written):
        broken += load.broken
        found += rows(load, broken)
    return found, broken


def saved(folder: Path, content: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_rows_have_the_numbers_of_their_lines(tmp_path: Path) -> None:
    found, broken = read(saved(tmp_path, b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\n\n2,z'))
    assert found == [(2, {"a": "1", "b": "x\ny"}), (5, {"a": "2", "b": "z"})]
    assert broken == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"1,2,3", "3 fields where there should be 2"), (b"1", "1 fields where there should be 2"),
        (b"\xff,2", "not utf-8 at byte 1"), (b'"1,2', "not CSV: "), (b'"1"x,2', "not CSV: "),
        (b"1," + b"x" * MAX_LINE, "a line may have"), (b"1," + b"x" * 3 * MAX_LINE, "a line may have"),
    ],
    ids=["more", "fewer", "bytes", "open", "behind", "long", "longer"],
)  # fmt: skip
def test_a_broken_line_is_told_and_what_follows_is_read(tmp_path: Path, line: bytes, told: str) -> None:
    after = b"".join(b"%d,ok\n" % number for number in range(500))
    found, broken = read(saved(tmp_path, b"a,b\n0,first\n" + line + b"\n" + after))
    assert [(each.number, each.detail[: len(told)]) for each in broken] == [(3, told)]
    assert broken[0].original[:1] == line[:1]
    assert [number for number, _ in found] == [2, *range(4, 504)]


def test_how_a_file_is_written_is_the_mappings_to_say(tmp_path: Path) -> None:
    written = Csv(delimiter=";", quote="'", encoding="cp1252", columns=("a", "b"))
    assert read(saved(tmp_path, "Käse;'1;2'\n".encode("cp1252")), written) == (
        [(1, {"a": "Käse", "b": "1;2"})],
        [],
    )
    assert read(saved(tmp_path, b"a\tb\n1\t2\n", "a.tsv"))[0] == [(2, {"a": "1", "b": "2"})]


@pytest.mark.parametrize(
    "content", [b"", b"a,a\n1,2\n", b"\xff\n1\n", b'"a\n1\n'], ids=["none", "twice", "bytes", "open"]
)
def test_a_header_that_cannot_be_used_is_told_at_once(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError):
        header(look(saved(tmp_path, content)), COMMA)


def test_lines_of_json(tmp_path: Path) -> None:
    content = b'{"a": 1}\n\n{"a": \n[1]\n\xff\n{"a": 12345678901234567890.5}\n'
    found, broken = read(saved(tmp_path, content, "a.ndjson"))
    assert [(number, str(row["a"])) for number, row in found] == [(1, "1"), (6, "12345678901234567890.5")]
    assert [each.number for each in broken] == [3, 4, 5]


def test_parquet_in_batches(tmp_path: Path) -> None:
    count = 2 * LOAD_ROWS + 1
    table = pa.table({"a": range(count), "b": [{"c": "x"}] * count})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=count)
    found, broken = read(tmp_path / "a.parquet")
    assert [number for number, _ in found] == list(range(1, count + 1))
    assert found[-1][1] == {"a": count - 1, "b": {"c": "x"}}
    assert broken == []
    with pytest.raises(ConfigError):
        header(look(saved(tmp_path, b"PAR1 nothing", "b.parquet")), COMMA)


@pytest.mark.parametrize(("ending", "packed"), [("gz", gzip.compress), ("zst", zstandard.compress)])
def test_compressed_files(tmp_path: Path, ending: str, packed: Any) -> None:
    content = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(100_000))
    assert len(read(saved(tmp_path, packed(content), f"a.csv.{ending}"))[0]) == 100_000
    twice = saved(tmp_path, packed(content) + packed(b"7,y\n"), f"b.csv.{ending}")
    assert read(twice)[0][-1] == (100_002, {"a": "7", "b": "y"})


def test_a_format_that_nobody_knows_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (
        saved(tmp_path, b"", "a.xlsx"),
        saved(tmp_path, b"", "a.gz"),
        tmp_path / "none.csv",
        tmp_path,
    ):
        with pytest.raises(ConfigError):
            look(path)


def test_memory_is_bounded_whatever_a_line_is(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)  # a hole, which reads as one line of zeros
    small = look(path)
    tracemalloc.start()
    try:
        found = list(loads(small, COMMA))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [len(load.broken) for load in found] == [1]
    assert peak < 16 * 1024 * 1024


@given(
    st.lists(st.binary(max_size=12) | st.sampled_from([b'"', b',"', b"a,b", b'"a,b"', b"\r"]), max_size=30)
)
def test_no_file_of_csv_stops_the_reading(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    path = saved(tmp_path_factory.getbasetemp(), b"a,b\n" + b"\n".join(parts) + b"\n1,last\n")
    found, broken = read(path)
    lines = path.read_bytes().count(b"\n")
    numbers = [number for number, _ in found] + [each.number for each in broken]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) <= lines
