"""compose.yaml is what compose takes, and asks for commands and settings that exist."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import typer
import yaml

from deploy.cli import app
from deploy.stack import SINKS
from schemas.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}


def schema() -> dict[str, Any]:
    # The package is only where the schema lies: it is not imported.
    package = find_spec("check_jsonschema")
    assert package is not None
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0], "builtin_schemas", "vendor")
    found: dict[str, Any] = orjson.loads((folder / "compose-spec.json").read_bytes())
    return found


def pinned(lock: Path) -> set[str]:
    return {line.split(" ")[0] for line in lock.read_text().splitlines() if line[:1].isalpha()}


def test_it_is_as_the_compose_schema_has_it() -> None:
    jsonschema.validate(COMPOSE, schema())


def test_the_schema_refuses_what_compose_does_not_know() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**COMPOSE, "services": {"kafka": {"imagine": "x"}}}, schema())


def test_it_runs_the_whole_platform() -> None:
    sinks = {f"sink-{names[0]}": ["sink", *names] for names in SINKS}
    names = {"kafka", "clickhouse", "init", "migrate", "ingest", "worker", "thresholds", *sinks}
    assert set(COMPOSE["services"]) == names
    assert {name: COMPOSE["services"][name]["command"] for name in sinks} == sinks


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_of_cdp(name: str) -> None:
    command = typer.main.get_command(app)
    context = command.make_context("cdp", list(OURS[name]["command"]), resilient_parsing=True)
    assert OURS[name]["command"][0] in command.list_commands(context)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", OURS)
def test_each_setting_is_one_of_ours(name: str) -> None:
    known = {f"CDP_{field}".upper() for field in Settings.model_fields}
    assert set(OURS[name]["environment"]) <= known


def test_what_is_waited_for_can_become_healthy_or_end() -> None:
    for service in COMPOSE["services"].values():
        for name, wait in service.get("depends_on", {}).items():
            awaited = COMPOSE["services"][name]
            assert ("healthcheck" in awaited) == (wait["condition"] == "service_healthy")


def test_the_image_has_every_package_and_no_tools() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    for package in ("ingest", "processors", "projections", "schemas", "deploy"):
        assert f"COPY {package} {package}\n" in dockerfile
    assert "\npytest==" not in (DEPLOY / "requirements.txt").read_text()


def test_the_image_has_the_versions_that_were_tested() -> None:
    assert pinned(DEPLOY / "requirements.txt") <= pinned(DEPLOY.parent / "requirements.txt")
