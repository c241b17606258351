"""`cdp identity simulate` on a real log: what it reads, what it says, and that it writes nothing."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from deploy import clock
from deploy.simulate import check, read_log, rules_of
from schemas.definitions import load
from schemas.errors import ConfigError
from schemas.identity import IdentityRules
from schemas.settings import Settings
from schemas.topics import EVENTS, partition_of
from tests.deploy.test_cli import cdp
from tests.deploy.test_clock import log_of
from tests.processes import environment

PRESET = Path("schemas/presets/identity.yaml")


def event(number: int, *keys: str) -> tuple[list[str], bytes]:
    body = {
        "v": 1, "type": "track", "name": "Visit", "message_id": f"m{number}", "source": "s", "channel": "web",
        "occurred_at": number, "received_at": number, "identifiers": {}, "properties": {}, "traits": {}, "context": {},
    }  # fmt: skip
    return list(keys), orjson.dumps(body)


def written(settings: Settings, *events: tuple[list[str], bytes]) -> None:
    with clock.writer(settings) as producer:
        for keys, value in events:
            producer.send(
                EVENTS.name(settings.namespace),
                key=keys[0].encode(),
                value=value,
                headers=[("keys", " ".join(keys).encode())],
                partition=partition_of(keys[0], settings.partitions),
            )


HOUSEHOLD = [
    event(1, "user_id:a", "email:h", "anonymous_id:1"),
    event(2, "user_id:b", "email:h"),
    event(3, "user_id:c"),
    event(4, "user_id:c"),
    *(event(10 + n, f"anonymous_id:{n}", "anonymous_id:9") for n in range(5, 8)),
]


def changed(folder: Path, **fields: dict[str, Any]) -> Path:
    """The preset with other fields of some namespaces, as a file."""
    rules = yaml.safe_load(PRESET.read_text())
    rules["version"] = 2
    for namespace in rules["namespaces"]:
        namespace.update(fields.get(namespace["name"], {}))
    path = folder / "identity.yaml"
    path.write_text(yaml.safe_dump(rules))
    return path


def simulated(settings: Settings, *file: str) -> str:
    done = cdp("identity", "simulate", *file, env=environment(settings) | {"COLUMNS": "160"})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_whole_log_is_read_and_only_that(deployment: Settings) -> None:
    clock.hold(deployment)
    written(deployment, *HOUSEHOLD, (["user_id:x"], b"not JSON"), (["user_id:x"], b'{"v":1}'))
    clock.release(deployment)
    seen: list[tuple[int, int]] = []
    read = read_log(deployment, lambda done, total: seen.append((done, total)))
    assert sum(read.stated.events.values()) == len(HOUSEHOLD)
    assert (len(read.stated.links), read.unreadable) == (6, 2)
    assert read.in_force == "identity/default/1"
    assert seen[-1][0] == seen[-1][1] >= len(HOUSEHOLD)


def test_a_log_without_events_is_read(deployment: Settings) -> None:
    assert "0 customers of 0 events" in simulated(deployment)


def test_it_says_who_is_one_customer_and_what_other_rules_would_bring(
    deployment: Settings, tmp_path: Path
) -> None:
    written(deployment, *HOUSEHOLD)
    before = len(log_of(deployment))
    told = simulated(deployment)
    for words in (
        "Rules in force, identity/default/1", "4 customers of 7 events, 2 of them with several identifiers",
        "anonymous_id 4", "conflicts: 1 unique", "user_id:b",
    ):  # fmt: skip
        assert words in told, told
    assert "What would change" not in told

    loose = simulated(deployment, str(changed(tmp_path, user_id={"unique": False})))
    for words in ("identity/default/2", "2 customers would become 1; 0 would be parted", "1 of 1 solved"):
        assert words in loose, loose
    tight = simulated(deployment, str(changed(tmp_path, anonymous_id={"unique": True, "limit": 2})))
    for words in (
        "0 customers would become 0; 1 would be parted into 3", "1 identifiers are crowded",
    ):  # fmt: skip
        assert words in tight, tight
    same = simulated(deployment, str(PRESET))
    assert same.rstrip().endswith("nothing")
    assert len(log_of(deployment)) == before


@pytest.mark.parametrize(
    ("field", "word"),
    [({"name": "e_mail"}, "email is missing"), ({"normalise": "exact"}, "email must stay normalise: email")],
)
def test_rules_that_would_give_keys_another_meaning_are_refused(
    deployment: Settings, tmp_path: Path, field: dict[str, Any], word: str
) -> None:
    path = changed(tmp_path, email=field)
    refused = cdp("identity", "simulate", str(path), env=environment(deployment))
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: these rules cannot follow identity/default/1: ")
    assert word in refused.stderr
    assert f"where: {path}\n" in refused.stderr


def test_namespaces_keep_their_order_and_may_be_joined_by_new_ones(tmp_path: Path) -> None:
    now = load("default", "identity")
    assert isinstance(now, IdentityRules)
    rules = yaml.safe_load(PRESET.read_text())
    rules["namespaces"].insert(1, {"name": "loyalty_id"})
    (tmp_path / "more.yaml").write_text(yaml.safe_dump(rules))
    check(now, rules_of(tmp_path / "more.yaml"), "more.yaml")
    rules["namespaces"].reverse()
    (tmp_path / "turned.yaml").write_text(yaml.safe_dump(rules))
    with pytest.raises(ConfigError, match="must stay before"):
        check(now, rules_of(tmp_path / "turned.yaml"), "turned.yaml")


def test_a_file_that_is_no_identity_definition_is_told() -> None:
    with pytest.raises(ConfigError, match="are needed, `kind: identity`; this has `kind: lifecycle`"):
        rules_of(Path("schemas/presets/gym.yaml"))
    with pytest.raises(ConfigError, match="this has no `kind:`"):
        rules_of(Path("schemas/presets/sources.yaml"))
