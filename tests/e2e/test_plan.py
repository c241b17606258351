"""A tracking plan from the file to ClickHouse: tried, published while ingest takes events, and held to."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.plans import change, trial
from deploy.plans.shown import versions
from deploy.plans.trial import Trial
from projections.connect import connect
from projections.migrate import migrate
from schemas import plan as plans
from schemas.errors import CdpError, ConfigError, NotFound
from schemas.settings import Settings
from tests.ingest.servers import Client, serving
from tests.processes import Process, environment, running
from tests.waiting import until

PLAN = """\
kind: plan
source: shop
unplanned: mark
events:
- name: Order Completed
  version: 2
  on_violation: reject
  properties:
    required: [order_id, total]
    properties:
      order_id: {type: string}
      total: {type: number, minimum: 5}
      products: {items: {required: [sku], properties: {price: {type: number}}}}
- {name: Order Completed, version: 1, properties: {required: [order_id, coupon]}}
- {name: Product Viewed, properties: {required: [sku], additionalProperties: {type: string}}, on_violation: reject}
- {name: Identified, identifiers: [email], traits: {properties: {email: {format: email}}}}
"""
STRICTER = PLAN.replace("minimum: 5", "minimum: 6")
LOOSER = PLAN.replace("required: [order_id, total]", "required: [order_id]")


def messages(dice: random.Random, number: int) -> list[dict[str, Any]]:
    """Events of all kinds, most of them as the plan has them."""
    return [
        {**message(dice), "userId": f"u{dice.randrange(50)}", "messageId": f"m{n}"} for n in range(number)
    ]


def message(dice: random.Random) -> dict[str, Any]:
    kind = dice.randrange(8)
    if kind < 4:
        total = dice.choice([dice.randrange(10), "12.50", 4.99, 19.9])
        lines = [
            {"sku": "a", "price": dice.choice([1, "2.5"])},
            *([{"price": 3}] if dice.random() < 0.1 else []),
        ]
        properties = {"order_id": "o1", "total": total, "products": lines}
        for name in ("order_id", "total"):
            if dice.random() < 0.1:
                del properties[name]
        version = dice.choice([None, None, 1, "1", 2, 3, "x"])
        stated = {} if version is None else {"protocols": {"event_version": version}}
        return {"type": "track", "event": "Order Completed", "properties": properties, "context": stated}
    if kind < 6:
        viewed: dict[str, Any] = dice.choice(
            [{"sku": "a"}, {"sku": "a", "shelf": "b"}, {"sku": "a", "shelf": 3}, {}]
        )
        return {"type": "track", "event": "Product Viewed", "properties": viewed}
    if kind == 6:
        return {"type": "track", "event": dice.choice(["Hover", "A; B"]), "properties": {}}
    return {"type": "identify", "traits": dice.choice([{}, {"email": "a@b.example"}, {"email": "a"}])}


def again(batch: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    return [{**each, "messageId": prefix + each["messageId"]} for each in batch]


def send(client: Client, batch: list[dict[str, Any]]) -> None:
    for start in range(0, len(batch), 100):
        assert client.post("/v1/batch", {"batch": batch[start : start + 100]}).status == 200


class Stored:
    """What an analyst sees of the shop's events, by the beginning of their message ids."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def ask(self, sql: str, **params: str) -> list[Any]:
        with connect(self.settings) as client:
            return list(client.execute(sql, params))

    def accepted(self, prefix: str) -> dict[str, list[str]]:
        sql = "SELECT message_id, violations FROM events WHERE startsWith(message_id, %(prefix)s)"
        return dict(self.ask(sql, prefix=prefix))

    def rejected(self, prefix: str) -> dict[str, list[str]]:
        known = "startsWith(message_id, %(prefix)s) AND reason = 'plan_violation'"
        return dict(
            self.ask(
                f"SELECT message_id, splitByString('; ', detail) FROM rejected WHERE {known}", prefix=prefix
            )
        )

    def whole(self, prefix: str, number: int) -> bool:
        return len(self.accepted(prefix)) + len(self.rejected(prefix)) == number


@pytest.fixture
def shop(platform: Settings) -> Iterator[tuple[Settings, Client, Stored]]:
    """Ingest and the tables behind it, running."""
    migrate(platform)
    with running(Process("sink", platform)), serving(Process("ingest", platform), platform) as client:
        yield platform, client, Stored(platform)


def typed(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(app, ["plan", *words], env={**environment(settings), "COLUMNS": "160"})


def written(tmp_path: Path, text: str) -> str:
    (tmp_path / "plan.yaml").write_text(text)
    return str(tmp_path / "plan.yaml")


def publish(settings: Settings, client: Client, path: str, probe: dict[str, Any], status: int) -> None:
    """Publish a plan, and wait until ingest answers a probe as that has it."""
    done = typed(settings, "publish", path, "--because", "a try")
    assert "is in force" in done.output, (done.output, done.exception)
    until(
        lambda: client.post("/v1/track", probe).status == status,
        "ingest holds the plan",
        every=0.1,
        seconds=10,
    )


def counts(found: Trial) -> Counter[tuple[str, str]]:
    outcome = {True: "rejected", False: "marked"}
    return Counter({(rule.name, outcome[rule.reject]): broken.events for rule, broken in found.rules.items()})


def test_a_plan_does_to_what_comes_what_trying_it_said(
    shop: tuple[Settings, Client, Stored], tmp_path: Path
) -> None:
    settings, client, stored = shop
    path, sent = written(tmp_path, PLAN), messages(random.Random(7), 600)
    assert "0 events of shop in 7 days: 0 would be rejected" in typed(settings, "check", path).output
    send(client, sent)
    until(lambda: len(stored.accepted("m")) == len(sent), "all are taken without a plan")
    assert not any(stored.accepted("m").values())

    done = typed(settings, "check", path, "--days", "1")
    _, predicted = trial.run(settings, Path(path), 1)
    assert done.exit_code == 1
    assert f"600 events of shop in 1 days: {predicted.rejected} would be rejected" in done.output
    assert min(predicted.rejected, predicted.marked, len(predicted.rules) - 8) > 0, "nothing is tried"

    probe = {"event": "Product Viewed", "userId": "u", "messageId": "probe", "properties": {}}
    publish(settings, client, path, probe, 400)
    send(client, again(sent, "again-"))
    until(lambda: stored.whole("again-", len(sent)), "all are accepted or rejected")
    rejected, accepted = stored.rejected("again-"), stored.accepted("again-")
    marked = {id_: rules for id_, rules in accepted.items() if rules}
    assert (len(rejected), len(marked)) == (predicted.rejected, predicted.marked)
    told = Counter((rule, "rejected") for rules in rejected.values() for rule in rules)
    told += Counter((rule, "marked") for rules in marked.values() for rule in rules)
    assert told == counts(predicted)
    for rule, broken in predicted.rules.items():
        which = rejected if rule.reject else marked
        assert all(rule.name in which[f"again-{id_}"] for id_ in broken.examples)
    seen = stored.ask("SELECT rule, outcome, sum(events) FROM plan_violations GROUP BY rule, outcome")
    probes = Counter((rule, "rejected") for rules in stored.rejected("probe").values() for rule in rules)
    assert Counter({(rule, outcome): number for rule, outcome, number in seen}) == told + probes

    _the_same_again_is_no_news_and_can_be_shown(settings, path, tmp_path)
    _what_was_rejected_would_be_accepted_by_another(settings, client, tmp_path, sent, rejected)


def _the_same_again_is_no_news_and_can_be_shown(settings: Settings, path: str, tmp_path: Path) -> None:
    same = typed(settings, "publish", path, "--because", "again").output
    assert same == "nothing differs from plan/shop/1, which is in force\n"
    shown = typed(settings, "show", "shop").output
    assert plans.load(Path(written(tmp_path, shown))) == plans.load(Path(written(tmp_path, PLAN)))
    assert "a try" in typed(settings, "history", "shop").output


def _what_was_rejected_would_be_accepted_by_another(
    settings: Settings,
    client: Client,
    tmp_path: Path,
    sent: list[dict[str, Any]],
    rejected: dict[str, list[str]],
) -> None:
    """A looser plan takes what it no longer forbids; which holds, is said by version."""
    _, stricter = trial.run(settings, Path(written(tmp_path, STRICTER)), 1)
    assert stricter.again - stricter.accepted == stricter.again > len(rejected)
    path = written(tmp_path, LOOSER)
    _, looser = trial.run(settings, Path(path), 1)
    only_total = ["Order Completed@2 /properties/total required"]
    assert looser.accepted == sum(rules == only_total for rules in rejected.values()) > 0
    free = next(each for each in sent if rejected.get(f"again-{each['messageId']}") == only_total)
    publish(settings, client, path, {**free, "messageId": "free"}, 200)
    assert "2        " in typed(settings, "history", "shop").output


def test_what_cannot_be_is_refused_and_leaves_nothing(platform: Settings, tmp_path: Path) -> None:
    def refusal(*words: str) -> CdpError:
        done = typed(platform, *words)
        assert done.exit_code == 1
        assert isinstance(done.exception, CdpError)
        return done.exception

    bad = written(tmp_path, PLAN.replace("format: email", "format: mail"))
    for words in (("check", bad), ("publish", bad, "--because", "x")):
        told = refusal(*words)
        assert isinstance(told, ConfigError)
        assert "events.3.traits.properties.email.format: is no format that is known" in told.what
    other = written(tmp_path, PLAN.replace("source: shop", "source: nowhere"))
    for words in (("check", other), ("publish", other, "--because", "x")):
        assert isinstance(refusal(*words), NotFound)
    nobody = written(tmp_path, PLAN.replace("identifiers: [email]", "identifiers: [mail]"))
    assert "events.3.identifiers: there is no namespace mail" in refusal("check", nobody).what
    assert "a reason is needed" in refusal("publish", written(tmp_path, PLAN), "--because", " ").what
    assert "no such file" in refusal("check", str(tmp_path / "none.yaml")).what
    assert "has no tracking plan" in refusal("show", "shop").what
    assert "has no tracking plan" in refusal("history", "shop").what
    assert "there is no such source" in refusal("show", "nosuch").what


def test_who_publishes_at_once_publishes_one_after_the_other(deployment: Settings, tmp_path: Path) -> None:
    def publishing(name: str) -> tuple[int, str]:
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"kind: plan\nsource: shop\nevents: [{{name: {name}}}]")
        plan, new = change.publish(deployment, path, name)
        assert new
        return plan.version, plan.because

    with ThreadPoolExecutor() as threads:
        published = dict(threads.map(publishing, ["A", "B", "C"]))
    assert sorted(published) == [1, 2, 3]
    there = {each.version: each.events[0].name for each in versions(deployment, "shop")}
    assert there == published
