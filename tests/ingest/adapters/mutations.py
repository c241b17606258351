"""Bodies that a sender would never send: an example with values of any type anywhere, and bytes changed."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import orjson

ANYTHING: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e300, 2**63, "", "0", "-5", "x" * 600, "é\u0000", "1e9", "2026-13-01", [], {}, [[]],
    [None, 1, "a", {}], {"id": {}}, {"id": []},
)  # fmt: skip


def mutated(example: Any, count: int, seed: int = 1) -> Iterator[bytes]:
    """So many bodies; the same ones in every run."""
    dice = random.Random(seed)
    for number in range(count):
        changed = copy.deepcopy(example)
        for _ in range(dice.randint(1, 4)):
            _change(changed, dice)
        body = bytearray(orjson.dumps(changed))
        if number % 5 == 0:
            body[dice.randrange(len(body))] = dice.randrange(256)
        yield bytes(body)
    yield from (b"", b"null", b"[" * 5_000, b'{"a":' * 5_000, b'{"id":"\\ud800"}', b'{"id":"\xff"}')


def _change(value: Any, dice: random.Random) -> None:
    """Change, add or take away one thing somewhere in it."""
    while isinstance(value, dict | list) and value:
        key: Any = dice.choice(list(value)) if isinstance(value, dict) else dice.randrange(len(value))
        inner = value[key]
        if isinstance(inner, dict | list) and inner and dice.random() < 0.7:
            value = inner
            continue
        if dice.random() < 0.15:
            del value[key]
        else:
            value[key] = dice.choice(ANYTHING)
        return
