"""Every command on sources that the pages of adapters print does as it stands there, beside the local stack's own."""

import os
import re
import shlex
from pathlib import Path

from deploy.sources.log import read, sources
from schemas import sources as files
from schemas.settings import Settings
from tests.deploy.test_cli import cdp
from tests.processes import environment

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs").glob("adapters*.md"))
KEY = next(
    source.config["public_key"]
    for source in files.load(ROOT / "bench/hooks.yaml").sources
    if source.name == "sendgrid"
)


def printed() -> list[list[str]]:
    """Those that add or set a source, with a key where a page leaves it out."""
    found = [
        match
        for page in PAGES
        for match in re.findall(r"cdp (sources (?:add|set) [^`\n]+)", page.read_text())
    ]
    return [shlex.split(re.sub(r"public_key=\S*\.\.\.", f"public_key={KEY}", line)) for line in found]


def test_every_command_that_is_printed_is_taken(deployment: Settings) -> None:
    commands, env = printed(), {**os.environ, **environment(deployment)}
    for command in commands:
        told = cdp(*command, env=env)
        assert told.returncode == 0, (command, told.stderr)
    added = [name for _, what, name, *_ in commands if what == "add"]
    assert len(added) >= 8
    assert len(set(added)) == len(added)
    assert set(added) <= set(sources(read(deployment)))
    assert not set(added) & {
        source.name for source in files.load(ROOT / "schemas/presets/sources.yaml").sources
    }
