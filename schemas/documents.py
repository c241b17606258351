"""Generate `docs/schemas/*.json`, `docs/asyncapi.json` and the pages `topics.md` and `conditions.md` from the models.

`python -m schemas.documents` writes them; with `--check` it names those that are not current and exits
with 1.
"""

import json
import sys
from pathlib import Path
from typing import Any

from schemas import conditions_page
from schemas.asyncapi import document, mode_of
from schemas.records import RECORDS, REJECTED_HEADERS
from schemas.topics_page import page

DOCS = Path(__file__).parent.parent / "docs"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def documents() -> dict[str, str]:
    """Every generated file: path under `docs/` -> content."""
    asyncapi = document()
    headers = asyncapi["components"]["messages"]["Rejected"]["headers"]
    schemas = {r.name: r.model.json_schema(mode=mode_of(r)) for r in RECORDS}
    return {
        **{f"schemas/{name}.v1.json": _json(_named(name, schema)) for name, schema in schemas.items()},
        f"schemas/{REJECTED_HEADERS}.v1.json": _json(_named(REJECTED_HEADERS, headers)),
        "asyncapi.json": _json(asyncapi),
        "topics.md": page(),
        "conditions.md": conditions_page.page(),
    }


def stale(docs: Path = DOCS) -> list[str]:
    """Files under `docs` that are missing, not current, or a schema of nothing any more."""
    made = documents()
    held = {path.relative_to(docs).as_posix() for path in docs.glob("schemas/*.json")}
    changed = {name for name, content in made.items() if _read(docs / name) != content}
    return sorted(changed | (held - made.keys()))


def write(docs: Path = DOCS) -> None:
    """Write every generated file, and remove schemas of records that are no more."""
    made = documents()
    for name in stale(docs):
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in made:
            path.write_text(made[name], "utf-8")
        else:
            path.unlink()


def _named(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:cdp:{name}:v1", **schema}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def main(arguments: list[str]) -> int:
    """Do the command line's; gives the exit code."""
    if arguments == ["--check"]:
        names = stale()
        for name in names:
            sys.stderr.write(f"docs/{name} is not current: run python -m schemas.documents\n")
        return 1 if names else 0
    if arguments:
        sys.stderr.write("usage: python -m schemas.documents [--check]\n")
        return 2
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
