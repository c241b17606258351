"""Sources of other systems, as an operator sets them up: what cannot be is told, and no secret is."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.init import init
from deploy.sources.adapted import check, known, lines, missing
from deploy.sources.change import add, change
from deploy.sources.log import read, sources
from ingest.adapters.adapter import Adapter, Hook, Named, Taken
from ingest.adapters.registry import ADAPTERS
from schemas.errors import ConfigError
from schemas.settings import Settings
from schemas.sources import Source, Terms
from tests.conftest import settings_for
from tests.deploy.test_cli import cdp
from tests.processes import environment

Cdp = Callable[..., tuple[str, str]]


def take(_: Hook, __: Named, ___: Named) -> Taken:
    return Taken([])


def check_value(value: str) -> None:
    if "wrong" in value:
        raise ConfigError("no such thing", "nowhere", "copy it from the console")


CHECKS = {"key": check_value, "shop": check_value}
SHOPS = Adapter("shops", "a shop", "ecommerce", ("key",), ("shop",), take, ("old",), ("region",), CHECKS)


@pytest.fixture(autouse=True)
def shops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADAPTERS, "shops", SHOPS)


def terms(adapter: str | None = "shops", **config: str) -> Terms:
    return Terms.model_validate({"name": "eu-1", "channel": "web", "adapter": adapter, "config": config})


def found(settings: Settings, name: str) -> Source:
    return sources(read(settings))[name]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (terms("fax"), "there is no adapter 'fax'"),
        (terms(None, shop="a"), "config is what an adapter is told"),
        (terms(), "adapter shops must be told shop"),
        (terms(shop="a", colour="red"), "adapter shops knows no colour"),
        (terms(shop="wrong"), "no such thing"),
        (terms(shop="a", key="the-secret-itself"), "key is a secret"),
        (terms(shop="a", old="the-secret-itself"), "old is a secret"),
    ],
)
def test_what_cannot_be_is_told_and_no_secret_with_it(given: Terms, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        check(given)
    assert "the-secret-itself" not in caught.value.what + caught.value.where + caught.value.hint


def test_what_may_be_told_need_not_be() -> None:
    check(terms(shop="a"))
    check(terms(shop="a", region="eu"))
    check(terms(None))


def test_secrets_are_there_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "eu-1").mkdir()
    (tmp_path / "eu-1" / "key").write_text("the-secret-itself\n")
    head, said = lines(terms(shop="a"), tmp_path)
    assert head == "adapter shops, shop=a, at /hooks/eu-1"
    assert said == "secrets seen from here: key yes, old no (optional)"
    assert list(lines(terms(shop="a"), None))[1].startswith("secrets seen from here: key no,")
    monkeypatch.setenv("CDP_SECRET_EU_1_KEY", "the-secret-itself")
    assert list(lines(terms(shop="a"), None))[1].startswith("secrets seen from here: key yes,")
    (tmp_path / "eu-1" / "key").write_text("wrong-itself")
    assert list(lines(terms(shop="a"), tmp_path))[1].startswith("secrets seen from here: key cannot be used,")
    (told,) = missing("eu-1", "shops", {}, tmp_path)
    place = tmp_path / "eu-1" / "key"
    assert told.startswith(
        "its secret key cannot be used: no such thing; copy it from the console. It is read from"
    )
    assert str(place) in told
    assert "wrong-itself" not in told
    assert list(lines(terms(None), None)) == []
    assert list(lines(terms("fax"), None))[1] == "this version has no such adapter"


def test_a_secret_that_a_source_does_not_need_is_not_asked_for() -> None:
    plain, aes = {"app_id": "wx1", "mode": "plain"}, {"app_id": "wx1", "mode": "aes"}
    assert [line.split()[2] for line in missing("cn", "wechat", plain, None)] == ["token"]
    assert [line.split()[2] for line in missing("cn", "wechat", aes, None)] == ["token", "aes_key"]
    assert (
        list(lines(terms("wechat", **plain), None))[1]
        == "secrets seen from here: token no, aes_key no (optional)"
    )


def test_every_adapter_says_what_it_needs() -> None:
    told = list(known())
    assert "shops: a shop" in told
    assert "  secrets key, old (optional)" in told
    assert "  config shop, region (optional)" in told
    assert "  secrets token, aes_key (optional in mode plain)" in told


def test_a_source_has_the_channel_of_its_adapter_unless_it_says_another(deployment: Settings) -> None:
    add(deployment, {"name": "a", "adapter": "shops", "config": {"shop": "a.example"}}, "why")
    add(deployment, {"name": "b", "adapter": "shops", "config": {"shop": "b"}, "channel": "offline"}, "why")
    assert (found(deployment, "a").channel, found(deployment, "b").channel) == ("ecommerce", "offline")
    with pytest.raises(ConfigError, match="where do its interactions happen"):
        add(deployment, {"name": "c"}, "why")


def test_what_an_adapter_is_told_changes_by_name(deployment: Settings) -> None:
    add(deployment, {"name": "a", "adapter": "shops", "config": {"shop": "a", "region": "eu"}}, "why")

    def told(**changes: Any) -> tuple[str | None, dict[str, str]]:
        change(deployment, "a", changes, "why")
        source = found(deployment, "a")
        return source.adapter, source.config

    assert told(config={"shop": "b"}) == ("shops", {"shop": "b", "region": "eu"})
    assert told(config={"region": ""}) == ("shops", {"shop": "b"})
    assert told(rate=5) == ("shops", {"shop": "b"})
    with pytest.raises(ConfigError, match="must be told shop"):
        told(config={"shop": ""})
    with pytest.raises(ConfigError, match="no such thing"):
        told(config={"shop": "wrong"})
    assert told(adapter="signed") == ("signed", {})
    assert told(adapter=None) == (None, {})


def test_a_file_of_sources_is_held_to_the_adapters(kafka: str, tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    one = {"name": "eu", "write_key": "the-key-of-eu", "channel": "ecommerce", "adapter": "shops"}
    file.write_text(yaml.safe_dump({"sources": [one]}))
    settings = settings_for(tmp_path, kafka=kafka, sources=file)
    with pytest.raises(ConfigError, match="must be told shop"):
        init(settings)
    assert read(settings) == {}
    file.write_text(yaml.safe_dump({"sources": [one | {"config": {"shop": "a"}}]}))
    init(settings)
    assert found(settings, "eu").config == {"shop": "a"}


def test_as_an_operator_types_it(deployment: Settings, tmp_path: Path) -> None:
    env = {**os.environ, "COLUMNS": "80", **environment(deployment), "CDP_SECRETS": str(tmp_path)}

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        told = cdp("sources", *arguments, env=env)
        assert told.returncode == code, told.stderr
        return told.stdout, told.stderr

    assert "signed: any system" in run("adapters")[0]
    key, hints = run("add", "fans", "--adapter", "signed", "--because", "why")
    assert f":{deployment.ingest_port}/hooks/fans" in hints
    assert f"file {tmp_path}/fans/signing_secret or variable CDP_SECRET_FANS_SIGNING_SECRET" in hints
    assert "signing_secret no" in run("list")[0]
    (tmp_path / "fans").mkdir()
    (tmp_path / "fans" / "signing_secret").write_text("the-secret-itself")
    shown = run("list")[0]
    assert "adapter signed, at /hooks/fans" in shown
    assert "secrets seen from here: signing_secret yes" in shown
    assert "the-secret-itself" not in shown
    assert key.strip() not in shown
    why = ("--because", "why")
    errors = run("set", "fans", "--config", "signing_secret=the-secret-itself", *why, code=1)[1]
    assert errors.startswith("error: signing_secret is a secret")
    assert "the-secret-itself" not in errors
    assert "not a name and its value" in run("set", "fans", "--config", "x", *why, code=1)[1]
    mails = ("--adapter", "sendgrid", "--config", "public_key=MFkw", *why)
    errors = run("add", "mails", *mails, code=1)[1]
    assert errors.startswith("error: public_key is no P-256 public key\n")
    assert "copy the verification key" in errors
    assert run("set", "fans", "--adapter", "none", *why)[0] == "source fans: changed\n"
    assert "hooks" not in run("list")[0]
