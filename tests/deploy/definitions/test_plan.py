from typing import Any

import pytest

from deploy.definitions.founding import founding
from deploy.definitions.plan import Definitions, Step, plan, rolled_back, standing, steps, versioned
from schemas import definitions
from schemas.definitions import key_of, parse
from schemas.errors import ConfigError
from schemas.folders import checked, folder_of, read
from schemas.graph import Defined
from schemas.lifecycle import Lifecycle
from schemas.portrait import Model
from schemas.settings import Settings
from tests.schemas.test_graph import lifecycle, segment, value

DID: dict[str, Any] = {"did": {"event": "Visit", "within": {"last_days": 30}}}
SUM: dict[str, Any] = {"sum": {"event": "Order Completed", "property": "total", "at_least": 100}}


def known(*found: Defined | Model) -> Definitions:
    return {key_of(each): each for each in found}


def keys(model: Model) -> list[str]:
    return list(model.definitions)


def test_the_first_model_remembers_all_that_it_needs_from_the_start() -> None:
    made = plan({}, None, [segment("a", DID), lifecycle(), value()], "why", 1)
    assert keys(made.model) == ["value/worth/1", "lifecycle/ecommerce/1", "segment/a/1"]
    assert set(made.model.leaves.values()) == {1}
    assert {leaf.events for leaf in made.leaves.values()} == {("Visit",)}
    assert len(made.leaves) == 2, "30 days of visits, and all that value counts"
    assert made.model.because == "why"
    assert [str(step) for step in made.steps] == [
        "lifecycle/ecommerce is new",
        "segment/a is new",
        "value/worth is new",
    ]


def test_a_leaf_that_is_remembered_already_is_not_backfilled() -> None:
    first = plan({}, None, [segment("a", DID)], None, 1)
    log = known(*first.definitions)
    second = plan(
        log, first.model, [segment("a", DID), segment("b", {"not": DID}), segment("c", SUM)], None, 2
    )
    assert sorted(second.model.leaves.values()) == [1, 2]
    assert [leaf.measure for leaf in second.leaves.values()] == ["sum"]
    assert [key_of(each) for each in second.new] == ["segment/b/1", "segment/c/1"]


def test_a_leaf_that_was_dropped_and_comes_back_is_remembered_anew() -> None:
    first = plan({}, None, [segment("a", DID), segment("b", SUM)], None, 1)
    log = known(*first.definitions)
    second = plan(log, first.model, [segment("b", SUM)], None, 2)
    assert len(second.model.leaves) == 1
    assert not second.leaves
    third = plan(log, second.model, [segment("a", DID), segment("b", SUM)], None, 3)
    assert sorted(third.model.leaves.values()) == [1, 3]
    assert len(third.leaves) == 1


def test_nothing_to_do_has_no_steps() -> None:
    first = plan({}, None, [segment("a", DID)], None, 1)
    again = plan(known(*first.definitions), first.model, [segment("a", DID)], "again", 2)
    assert (again.steps, again.new, again.leaves) == ((), (), {})


def test_a_version_that_is_in_the_log_never_changes() -> None:
    log = known(segment("a", DID), segment("b", DID), segment("c", DID, 5))
    with pytest.raises(ConfigError) as caught:
        plan(log, None, [segment("a", SUM), segment("b", DID), segment("c", SUM, 4)], None, 1)
    assert caught.value.what.splitlines() == [
        "segment/a/1 is in the log with another content: the next version is 2",
        "  segment/c/4: the log has version 5 already: the next is 6",
    ]
    assert "leave `version:` out" in caught.value.hint


def test_a_definition_without_a_version_takes_that_of_its_content_or_the_next() -> None:
    log = known(segment("a", DID), segment("a", SUM, 2), segment("b", DID, 7), segment("vip-old", DID, 9))
    edited = segment("a", {"not": DID})

    def taken(wanted: Defined, in_force: int = 0) -> str:
        now = plan({}, None, [segment("a", DID, in_force)], None, 1).model if in_force else None
        (found,) = versioned(log, now, [wanted], ["segment/a", "segment/vip"])
        return key_of(found)

    assert taken(edited, in_force=2) == "segment/a/3", "edited in place"
    assert taken(segment("a", SUM), in_force=2) == "segment/a/2", "as it is"
    assert taken(segment("a", DID), in_force=2) == "segment/a/3", (
        "as it was: what is rolled back to comes before"
    )
    assert taken(segment("a", DID), in_force=1) == "segment/a/1", "rolled back to"
    assert taken(segment("a", SUM), in_force=1) == "segment/a/2", "rolled back from"
    assert taken(segment("a", SUM)) == "segment/a/2"
    assert taken(segment("vip", DID)) == "segment/vip/1"
    assert taken(segment("b", SUM, 8)) == "segment/b/8", "as its file says"


def test_a_name_that_begins_like_another_is_another() -> None:
    log = known(segment("vip-old", DID, 7))
    assert plan(log, None, [segment("vip", DID)], None, 1).new


def test_steps_name_what_is_new_changed_and_no_more() -> None:
    first = plan({}, None, [segment("a", DID), segment("b", DID), segment("c", DID)], None, 1)
    log = known(*first.definitions)
    second = plan(log, first.model, [segment("a", DID), segment("b", SUM, 2), segment("d", DID)], None, 2)
    assert [str(step) for step in second.steps] == [
        "segment/b 1 -> 2",
        "segment/c is no more",
        "segment/d is new",
    ]
    assert steps(second.model, second.model) == ()


def test_rolling_back_gives_the_latest_earlier_version_that_was_in_force() -> None:
    versions = [segment("a", DID, 1), segment("a", SUM, 2), segment("a", {"not": DID}, 4)]
    log, models = dict(known(lifecycle(), *versions, segment("a", {"not": SUM}, 3))), list[Model]()
    for number, version in enumerate(versions, 1):
        models.append(plan(log, models[-1] if models else None, [lifecycle(), version], None, number).model)

    def back(name: str = "segment/a") -> list[str]:
        wanted = rolled_back(log, models, models[-1], name)
        models.append(plan(log, models[-1], wanted, None, len(models) + 1).model)
        return keys(models[-1])[1:]

    assert back() == ["segment/a/2"], "version 3 is in the log and was never in force"
    assert back() == ["segment/a/1"], "and not to and fro"
    assert back() == []
    with pytest.raises(ConfigError, match=r"segment/a is not in force.*lifecycle/ecommerce"):
        back()
    with pytest.raises(ConfigError, match=r"lifecycle/ecommerce has no earlier version"):
        back("lifecycle/ecommerce")


def test_a_model_whose_definitions_the_log_lacks_is_an_error() -> None:
    made = plan({}, None, [segment("a", DID)], None, 1)
    assert standing(known(*made.definitions), made.model) == [segment("a", DID)]
    with pytest.raises(ConfigError, match="names what the log lacks"):
        standing({}, made.model)


def chosen(name: str) -> list[definitions.Definition]:
    return [definitions.load("default", "identity"), definitions.load(name, "lifecycle")]


@pytest.mark.parametrize("name", ["ecommerce", "gym"])
def test_a_deployment_is_founded_with_the_preset_of_its_lifecycle(name: str) -> None:
    records, marked = founding(Settings(lifecycle=name), chosen(name))
    assert [each.kind for each in marked] == ["identity", "lifecycle", "model"]
    (model,) = (each for each in records if isinstance(each, Model))
    assert set(model.definitions) | {"identity/default/1", key_of(model)} == {
        key_of(each) for each in records
    }
    assert {kind.partition("/")[0] for kind in model.definitions} == {
        "value",
        "lifecycle",
        "role",
        "tag",
        "segment",
    }
    for each in records:
        assert parse(each.model_dump(mode="json", by_alias=True), "the log") == each


def test_a_folder_of_ones_own_may_bring_its_lifecycle(tmp_path: Any) -> None:
    (tmp_path / "gym.yaml").write_text((definitions.PRESETS / "gym.yaml").read_text())
    records, marked = founding(Settings(definitions=str(tmp_path)), chosen("ecommerce"))
    assert [key_of(each) for each in records] == ["identity/default/1", "lifecycle/gym/1", "model/main/1"]
    assert key_of(marked[1]) == "lifecycle/gym/1"
    with pytest.raises(
        ConfigError, match="the folder has lifecycle/gym/1, and CDP_LIFECYCLE names lifecycle/ecomm"
    ):
        founding(Settings(definitions=str(tmp_path), lifecycle="ecommerce"), chosen("ecommerce"))


def test_a_lifecycle_of_ones_own_without_definitions_is_all_there_is(tmp_path: Any) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text((definitions.PRESETS / "gym.yaml").read_text())
    records, _ = founding(Settings(lifecycle=str(path)), chosen(str(path)))
    assert [each.kind for each in records] == ["identity", "lifecycle", "model"]
    with pytest.raises(ConfigError, match="no such folder"):
        founding(Settings(definitions="nothing"), chosen("gym"))


def test_a_shop_can_become_a_gym_and_a_shop_again() -> None:
    lifecycle = definitions.load("ecommerce", "lifecycle")
    assert isinstance(lifecycle, Lifecycle)

    def wanted(name: str, log: Definitions, now: Model | None) -> list[Defined]:
        folder = read(folder_of(name))
        return versioned(log, now, checked(folder, lifecycle), folder.unversioned)

    shop = plan({}, None, wanted("ecommerce", {}, None), None, 1)
    log = dict(known(*shop.definitions))
    assert plan(log, shop.model, wanted("ecommerce", log, shop.model), None, 2).steps == ()
    gym = plan(log, shop.model, wanted("gym", log, shop.model), None, 2)
    assert Step("role/fan", 1, 2) in gym.steps
    assert Step("segment/ambassadors", None, 1) in gym.steps
    log |= known(*gym.definitions)
    again = plan(log, gym.model, wanted("ecommerce", log, gym.model), None, 3)
    assert Step("role/fan", 2, 3) in again.steps
    assert Step("segment/champions", None, 1) in again.steps, "it says what it said"
