"""Rows to messages, as a mapping says; whatever the row, nothing is raised but a refusal."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.accept import accept
from ingest.canonical import Arrival
from ingest.formats import reader
from ingest.mapping import compiled, content_id
from ingest.refusal import Refusal
from schemas.definitions import read_yaml, tried
from schemas.errors import ConfigError
from schemas.mapping import Mapping, load, ways
from schemas.rejected import Reason
from tests.ingest.desks import NOW, desk_of

EXAMPLES = sorted((Path(__file__).parents[2] / "docs/examples/import").glob("*.yaml"))
VISIT: dict[str, Any] = {"event": "Visit", "identifiers": {"user_id": "who"}}


def mapping(event: dict[str, Any], **fields: Any) -> Mapping:
    made = tried(Mapping, {"kind": "mapping", "name": "m", "events": [{**VISIT, **event}], **fields})
    assert not isinstance(made, list), made
    return made


def message(row: dict[str, Any], event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made = compiled(mapping(event, **fields), "UTC")({"who": "ada", **row})
    assert made is not None
    return made


def properties(row: dict[str, Any], fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = message(row, {"properties": fields}, **more)["properties"]
    return found


def refused(row: dict[str, Any], event: dict[str, Any], **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as found:
        message(row, event, **fields)
    return found.value


def test_a_row_becomes_the_message_that_an_sdk_would_send() -> None:
    event = {
        "identifiers": {"user_id": "who", "email": ["mail", "second"], "wechat_openid/APP": "wx"},
        "time": "at", "message_id": ["shop", "no"], "properties": {"place": "shop", "channel": {"value": "till"}},
        "traits": {"name": "name"},
    }  # fmt: skip
    row = {
        "mail": "a@b.c",
        "second": "",
        "wx": "o1",
        "at": "2026-05-01T10:00:00+02:00",
        "shop": "B/1",
        "no": 7,
        "name": " Ada ",
    }
    assert message(row, event) == {
        "type": "track", "event": "Visit", "userId": "ada",
        "context": {
            "original": {"who": "ada", **row},
            "externalIds": [{"id": "a@b.c", "type": "email"}, {"id": "o1", "type": "wechat_openid/APP"}],
        },
        "timestamp": "2026-05-01T08:00:00.000Z", "messageId": "m/Visit/B~11/7",
        "properties": {"place": "B/1", "channel": "till"}, "traits": {"name": "Ada"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "value", "decimal", "found"),
    [
        ("money", "1.249,90", ",", "1249.9"), ("money", "1,249.90", ".", "1249.9"), ("money", "12,5", ".", None),
        ("money", "1.234", ",", "1234"), ("money", "12.34", ",", None), ("money", ".5", ",", None),
        ("money", "1234.567", ",", None), ("money", "1.5e3", ",", None), ("money", "1,5.000", ",", None),
        ("money", "1,234", ".", "1234"), ("money", "12,34", ".", None), ("money", ",5", ".", None),
        ("number", "12.34", ",", None), ("integer", "12.0", ",", None), ("number", 12.5, ",", 12.5),
        ("money", "0,10", ",", "0.1"), ("money", -12.5, ",", "-12.5"), ("money", 1.234, ",", "1.234"),
        ("money", Decimal("3.10"), ".", "3.1"), ("money", "€ 3", ".", None), ("money", "nan", ".", None),
        ("integer", "7", ".", 7), ("integer", "7.0", ".", 7), ("integer", 7.0, ".", 7), ("integer", "7.5", ".", None),
        ("integer", "1.000", ",", 1000), ("integer", "9" * 30, ".", None), ("integer", "१", ".", None),
        ("number", "2,5", ",", 2.5), ("number", "1e400", ".", None), ("number", "x", ".", None),
        ("boolean", "Yes", ".", True), ("boolean", 0, ".", False), ("boolean", False, ".", False),
        ("boolean", "ja", ".", None),
        ("text", 7, ".", "7"), ("text", 7.0, ".", "7"), ("text", " a ", ".", "a"), ("text", [1], ".", None),
        ("date", "2026-05-01", ".", "2026-05-01"), ("date", "2026-05-01T23:59:00", ".", "2026-05-01"),
        ("date", date(2026, 5, 1), ".", "2026-05-01"), ("date", "1.5.26", ".", None),
        (None, "7", ".", "7"), (None, 7, ".", 7), (None, [1, {"a": None}], ".", [1, {"a": None}]),
        (None, datetime.fromisoformat("2026-05-01T02:00:00"), ".", "2026-05-01T02:00:00"), (None, b"\xff", ".", "/w=="),
    ],
)  # fmt: skip
def test_what_a_value_becomes(type_: str | None, value: Any, decimal: str, found: Any) -> None:
    pick = {"column": "x"} if type_ is None else {"column": "x", "type": type_}
    if found is None:
        refusal = refused({"x": value}, {"properties": {"p": pick}}, decimal=decimal)
        assert refusal.reason == (Reason.BAD_AMOUNT if type_ == "money" else Reason.INVALID)
        assert "'x'" in refusal.detail
    else:
        assert properties({"x": value}, {"p": pick}, decimal=decimal) == {"p": found}


def test_what_says_nothing_is_left_out() -> None:
    fields = {name: {"column": name, "type": "money"} for name in "abcd"}
    assert properties({"a": "", "b": "NULL", "c": None}, fields, empty=["NULL"]) == {}


def test_a_map_says_what_texts_stand_for() -> None:
    pick = {"column": "x", "map": {1: "one", "true": 2}}
    assert [properties({"x": x}, {"p": pick}) for x in ("1", 1, 1.0, True, "")] == [
        {"p": "one"}, {"p": "one"}, {"p": "one"}, {"p": 2}, {},
    ]  # fmt: skip
    assert "'x' is not in the map" in refused({"x": "3"}, {"properties": {"p": pick}}).detail
    assert properties({"x": "3"}, {"p": {**pick, "otherwise": "many"}}) == {"p": "many"}


def test_nested_values_are_found() -> None:
    row = {"a": {"b.c": [{"d": 5}]}, "a.b": 6}
    assert properties(row, {"deep": {"column": ["a", "b.c", 0, "d"]}, "flat": "a.b"}) == {
        "deep": 5,
        "flat": 6,
    }
    assert properties(row, {"p": {"column": ["a", "b.c", 9, "d"]}, "q": {"column": ["a.b", "x"]}}) == {}


def test_a_nested_identifier_is_written_as_a_column_also_among_several() -> None:
    nested = {"column": ["member", "card"]}
    for picks in (nested, [nested], ["card", nested]):
        made = message(
            {"member": {"card": "C7"}}, {"identifiers": {"user_id": "who", "membership_card": picks}}
        )
        assert made["context"]["externalIds"] == [{"id": "C7", "type": "membership_card"}]


@pytest.mark.parametrize(
    ("time", "text", "found"),
    [
        ({}, "2026-03-28T12:00:00", "2026-03-28T11:00:00.000Z"),
        ({}, "2026-03-28", "2026-03-27T23:00:00.000Z"),
        ({}, "2026-03-28T12:00:00.5+00:00", "2026-03-28T12:00:00.500Z"),
        ({"format": "%d.%m.%Y %H:%M"}, "29.03.2026 02:30", "2026-03-29T01:30:00.000Z"),  # does not exist
        ({"format": "%d.%m.%Y %H:%M"}, "25.10.2026 02:30", "2026-10-25T00:30:00.000Z"),  # twice
        ({"format": "%d.%m.%Y %H:%M"}, "1.4.2026 9:05", "2026-04-01T07:05:00.000Z"),
        ({"format": "%b %d %Y"}, "Apr 02 2026", "2026-04-01T22:00:00.000Z"),
        ({"format": "unix"}, 1_776_243_600, "2026-04-15T09:00:00.000Z"),
        ({"format": "unix"}, "1776243600000", "2026-04-15T09:00:00.000Z"),
        ({"timezone": "Asia/Tokyo"}, "2026-03-28T12:00:00", "2026-03-28T03:00:00.000Z"),
        ({}, datetime.fromisoformat("2026-03-28T12:00:00"), "2026-03-28T11:00:00.000Z"),
        ({}, date(2026, 3, 28), "2026-03-27T23:00:00.000Z"),
        ({}, "28.3.2026", None), ({}, "", None), ({}, "0001-01-01T00:00:00", None), ({"format": "unix"}, "nan", None),
        ({"format": "%d.%m.%Y"}, "31.02.2026", None),
        ({"format": "%d.%m.%Y"}, "01.02.2026 ", "2026-01-31T23:00:00.000Z"),
    ],
)  # fmt: skip
def test_when_it_happened(time: dict[str, Any], text: Any, found: str | None) -> None:
    event = {"time": {"column": "at", **time}}
    if found is None:
        assert "'at'" in refused({"at": text}, event, timezone="Europe/Berlin").detail
    else:
        assert message({"at": text}, event, timezone="Europe/Berlin")["timestamp"] == found


@given(
    st.datetimes(),
    st.sampled_from(["%d.%m.%Y %H:%M:%S", "%Y%m%d%H%M%S", "%m/%d/%Y  %H.%M"]),
)
def test_a_format_is_read_as_strptime_reads_it(at: datetime, written: str) -> None:
    text = at.strftime(written)
    try:
        expected = datetime.strptime(text, written)  # noqa: DTZ007
    except ValueError:  # strftime writes years before 1000 in fewer digits
        with pytest.raises(ValueError):
            reader(written)(text)
    else:
        assert reader(written)(text) == expected


def test_the_first_event_whose_when_holds_is_the_rows() -> None:
    events = [
        {**VISIT, "when": [{"column": "kind", "is": ["A", 2]}], "event": "First"},
        {**VISIT, "when": [{"column": "kind", "is": ""}], "event": "None"},
    ]
    named = {"kind": "mapping", "name": "m", "events": events}
    made = [
        compiled(Mapping.model_validate({**named, **more}), "UTC") for more in ({}, {"otherwise": "skip"})
    ]
    for row, event in (("A", "First"), (2, "First"), (" ", "None"), (None, "None")):
        assert all((found := each({"who": "a", "kind": row})) and found["event"] == event for each in made)
    with pytest.raises(Refusal):
        made[0]({"who": "a", "kind": "B"})
    assert made[1]({"who": "a", "kind": "B"}) is None


def test_a_row_is_known_by_all_that_it_says() -> None:
    row = {"a": 1, "b": {"c": date(2026, 1, 1)}}
    assert content_id("m", row) == content_id("m", dict(reversed(row.items())))
    ids = {
        content_id("m", row),
        content_id("m", row, 1),
        content_id("n", row),
        content_id("m", {**row, "a": 2}),
    }
    assert len(ids) == 4
    assert all(len(id_) <= 100 for id_ in ids)


def test_a_long_message_id_is_digested_and_an_empty_one_refused() -> None:
    long = message({"x": "y" * 500}, {"message_id": ["x"]})["messageId"]
    assert len(long) <= 100
    assert long != message({"x": "y" * 501}, {"message_id": ["x"]})["messageId"]
    assert "message_id" in refused({"x": " "}, {"message_id": ["x"]}).detail


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.decimals() | st.datetimes() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(st.data())
def test_no_row_raises_anything_but_a_refusal(data: st.DataObject) -> None:
    one = load(data.draw(st.sampled_from(EXAMPLES)))
    names = st.sampled_from(sorted({str(way[0]) for way in ways(one)}))
    usual = st.sampled_from(
        ["VK", "RT", "attended", "new", "LOAD", "1,0", "01.01.2026", "10:00:00", "M-1", "a@b.c", "2026-01-01"]
    )
    row = data.draw(st.dictionaries(names, usual | JSON, max_size=10))
    try:
        made = compiled(one, "Europe/Berlin")(row)
    except Refusal:
        return
    finally:
        assert content_id("m", row)
    if made is not None:
        accepted = accept([made], desk_of(), Arrival(NOW, "x"))
        assert len(accepted.events) + len(accepted.refused) == 1


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"time": {"column": "a", "format": "%H:%M"}}, "events.0.time.format: must be iso, unix, or a format with day"),
        ({"time": {"column": "a", "timezone": "Mars"}}, "events.0.time.timezone: no time zone is named 'Mars'"),
        ({"identifiers": {"user_id": {"value": "x"}}}, "an identifier is what stands in a column"),
        ({"identifiers": {}}, "events.0.identifiers: must have at least 1 in it"),
        ({"properties": {"x": {"colum": "a"}}}, "events.0.properties.x.colum: there is no such field"),
        ({"properties": {"x": {"column": "a", "type": "cash"}}}, "events.0.properties.x.type: must be 'text'"),
        ({"properties": {"x": {"value": "a", "type": "text"}}}, "events.0.properties.x: a constant is written"),
        ({"event": None}, "events.0: a track needs event"),
        ({"type": "identify"}, "events.0: an identify has no event"),
        ({"when": [{"column": "a", "is": []}]}, "events.0.when.0.is: must have at least 1 in it"),
        (
            {"identifiers": {"membership_card": [["member", "card"]]}},
            "must be a column's name; a nested value is written {column: [member, card]}",
        ),
    ],
)  # fmt: skip
def test_a_fault_of_a_mapping_is_told_with_its_place(event: dict[str, Any], told: str) -> None:
    found = tried(Mapping, {"kind": "mapping", "name": "m", "events": [{**VISIT, **event}]})
    assert isinstance(found, list)
    assert any(told in fault for fault in found), found


def test_the_examples_are_mappings(tmp_path: Path) -> None:
    assert [load(path).name for path in EXAMPLES] == [path.stem for path in EXAMPLES]
    broken = tmp_path / "m.yaml"
    broken.write_text("kind: mapping\nname: m\nevents: []\n")
    with pytest.raises(ConfigError) as error:
        load(broken)
    assert "events: must have at least 1 in it" in str(error.value)
    assert read_yaml(broken)["kind"] == "mapping"
