"""The page of the condition language."""

import re
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from schemas import conditions
from schemas.conditions import OPERATORS, Condition
from schemas.conditions_page import EXAMPLES, MEANINGS, example, page
from schemas.documents import DOCS

CONDITIONS: TypeAdapter[Any] = TypeAdapter(list[Condition])


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_has_examples_that_are_conditions_and_say_what_they_ask(name: str) -> None:
    written = yaml.safe_load(example(name))
    found = CONDITIONS.validate_python(written)
    assert {type(one) for one in found} == {OPERATORS[name]}
    assert len(re.findall(r"^# .+\.$", example(name), re.MULTILINE)) == len(found)
    assert f"## {name}\n" in page()
    assert example(name) in page()


@pytest.mark.parametrize(
    ("one", "listed"),
    [
        ({"tag": {"name": "goal", "is": "back"}}, {"tag": {"name": "goal", "is": ["back"]}}),
        (
            {"interest": {"event": "Product Viewed", "property": "category", "is": "music", "top": 1}},
            {"interest": {"event": ["Product Viewed"], "property": "category", "is": ["music"], "top": 1}},
        ),
        ({"stage": "silent"}, {"stage": ["silent"]}),
        ({"tier": "gold"}, {"tier": ["gold"]}),
        ({"identifier": "email"}, {"identifier": ["email"]}),
    ],
)
def test_one_value_is_a_list_of_one(one: Any, listed: Any) -> None:
    found = CONDITIONS.validate_python([one, listed])
    assert found[0] == found[1]
    assert CONDITIONS.dump_json(found[:1]) == CONDITIONS.dump_json(found[1:])


def test_there_are_examples_of_operators_only() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == set(OPERATORS)


def test_every_field_says_what_it_means_and_nothing_else_does() -> None:
    text = page()
    assert [what for what in MEANINGS.values() if f"| {what} |" not in text] == []
    assert all(f"| `{name}` |" in text for name in (each.partition(".")[2] or each for each in MEANINGS))


def test_bounds_of_the_models_are_on_the_page() -> None:
    text = page()
    assert "| `last_days` | today and the days before it, so many in all | 1 to 400 | required |" in text
    assert f"| conditions nested in each other | {conditions.MAX_DEPTH} |" in text
    assert "`half_life_days` | after so many days a sighting counts half | 1 to 400 | `30` |" in text


def test_its_links_lead_somewhere() -> None:
    text = page()
    heads = {"#" + line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")}
    links = [part.split(")")[0] for part in text.split("](")[1:]]
    assert [link for link in links if link not in heads and not (DOCS / link).exists()] == []
