"""Why operators did something: one rule for every command, whose limit what the log keeps has too."""

from typing import Any

import pytest

from deploy.definitions.run import publish_, roll_back_
from deploy.reason import reason
from schemas.errors import ConfigError
from schemas.plain import MAX_REASON
from schemas.plan import Plan
from schemas.portrait import Model
from schemas.settings import Settings
from schemas.sources import Source


def test_a_reason_is_what_was_typed_without_the_space_around_it() -> None:
    assert reason("  the legal department asked \n") == "the legal department asked"
    assert reason("x" * MAX_REASON) == "x" * MAX_REASON
    for because in ("", " \n", "x" * (MAX_REASON + 1)):
        with pytest.raises(
            ConfigError, match=f"of 1 to {MAX_REASON} characters; this has {len(because.strip())}"
        ):
            reason(because)


@pytest.mark.parametrize("record", [Model, Plan, Source])
def test_what_is_a_reason_has_its_place_in_the_log(record: Any) -> None:
    schema = record.model_json_schema()["properties"]["because"]
    text = next((each for each in schema.get("anyOf", ()) if each["type"] == "string"), schema)
    assert text["maxLength"] == MAX_REASON


def test_of_definitions_it_is_plain_and_told_before_any_server_is_asked() -> None:
    settings = Settings.model_validate({"key_secret": "x" * 32, "kafka": "127.0.0.1:1"})
    for because in ("", "${HOME}", "it's fine'; drop table events"):
        with pytest.raises(ConfigError, match="a reason is needed"):
            publish_(settings, None, because)
        with pytest.raises(ConfigError, match="a reason is needed"):
            roll_back_(settings, "segment/vip", because)
