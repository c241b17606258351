"""What the presets say of stories."""

from typing import cast

from schemas import folders
from schemas.definitions import load
from schemas.lifecycle import Lifecycle
from tests.portrait_oracle import World as Definitions
from tests.processors.events import DAY, at, order, tick
from tests.processors.labels import found, model_of
from tests.processors.machine import Machine, library

START = at("2026-01-10T12:00")


def shop() -> Machine:
    """A shop with the preset's definitions in force."""
    known = folders.load("ecommerce", cast("Lifecycle", load("ecommerce", "lifecycle")))
    definitions = Definitions(definitions=tuple(known))
    machine = Machine()
    machine.library = library("UTC", *known, model_of(definitions, 1))
    machine.position["in_force"]["model"] = "model/main/1"
    return machine


def labels(machine: Machine) -> dict[str, str]:
    (known,) = found({"user_id:ada": machine.state()}).values()
    return known.labels


def test_an_order_that_is_sent_twice_is_no_second_one() -> None:
    machine = shop().feed(order("1", START), order("1", START + DAY, id_="sent again"), tick(START + 2 * DAY))
    mine = labels(machine)
    assert mine["tag/rhythm"] == "yearly"
    assert "tag/decision" not in mine
    assert "segment/fast_repeaters" not in mine
    assert "segment/one_time_buyers" in labels(machine.feed(tick(START + 40 * DAY)))


def test_a_second_order_is_one() -> None:
    mine = labels(shop().feed(order("1", START), order("2", START + DAY), tick(START + 40 * DAY)))
    assert (mine["tag/rhythm"], mine["tag/decision"]) == ("quarterly", "returning")
    assert "segment/fast_repeaters" in mine
    assert "segment/one_time_buyers" not in mine


def test_full_price_takes_three_orders() -> None:
    twice = [order("1", START), order("2", START + 1), order("2", START + 2, id_="sent again")]
    assert "tag/price_sense" not in labels(shop().feed(*twice))
    assert labels(shop().feed(*twice, order("3", START + 3)))["tag/price_sense"] == "full_price"
