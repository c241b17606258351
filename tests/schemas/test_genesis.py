from typing import Any

import pytest
from pydantic import SecretStr

from schemas.errors import ConfigError, GenesisMismatch
from schemas.genesis import Genesis, check, check_settings, found
from schemas.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"


def settings(**changed: Any) -> Settings:
    return Settings(**{"key_secret": SecretStr(SECRET), "timezone": "Europe/Berlin", **changed})


FOUNDED = found(settings(), "4d2a8c0e-0000-4000-8000-000000000000", 1_700_000_000_000)


def test_a_process_configured_as_its_deployment_may_start() -> None:
    check_settings(settings())
    check(FOUNDED, settings())
    assert Genesis.model_validate_json(FOUNDED.model_dump_json()) == FOUNDED


def test_the_secret_itself_is_not_in_genesis() -> None:
    assert SECRET not in FOUNDED.model_dump_json()


CONTRADICTIONS = {
    "partitions": (64, "CDP_PARTITIONS is 64, the deployment was founded with 8"),
    "timezone": (
        "Asia/Shanghai",
        "CDP_TIMEZONE is Asia/Shanghai, the deployment was founded with Europe/Berlin",
    ),
    "currency": ("EUR", "CDP_CURRENCY is EUR, the deployment was founded with USD"),
    "key_secret": (SecretStr("f" * 32), "CDP_KEY_SECRET is not the secret"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_each_contradiction_is_refused_by_name(name: str) -> None:
    value, message = CONTRADICTIONS[name]
    with pytest.raises(GenesisMismatch) as caught:
        check(FOUNDED, settings(**{name: value}))
    assert message in caught.value.what
    assert caught.value.what.count("CDP_") == 1


def test_all_contradictions_are_named_at_once() -> None:
    with pytest.raises(GenesisMismatch) as caught:
        check(FOUNDED, settings(**{name: value for name, (value, _) in CONTRADICTIONS.items()}))
    assert all(message in caught.value.what for _, message in CONTRADICTIONS.values())
    assert "f" * 32 not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("key_secret", SecretStr(""), "CDP_KEY_SECRET"),
        ("key_secret", SecretStr("x" * 31), "CDP_KEY_SECRET"),
        ("timezone", "Mars/Olympus", "CDP_TIMEZONE"),
        ("timezone", "Europe", "CDP_TIMEZONE"),
        ("timezone", "", "CDP_TIMEZONE"),
        ("timezone", "../../etc/passwd", "CDP_TIMEZONE"),
    ],
)
def test_settings_that_can_found_nothing_are_refused_by_name(name: str, value: Any, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings(settings(**{name: value}))
    assert caught.value.where == where
    assert caught.value.hint
