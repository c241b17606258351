"""A folder of definitions: everything that is to be in force together, in as many files as one likes."""

from pathlib import Path
from typing import Any, NamedTuple

from schemas.definitions import MAX_FAULTS, PRESETS, parse, read_yaml
from schemas.errors import ConfigError
from schemas.graph import KINDS, Defined, faults
from schemas.lifecycle import Lifecycle
from schemas.portrait import Role, Segment, TagRules, Value

SUFFIXES = (".yaml", ".yml", ".json")
MAX_DEFINITIONS = 1_000
MAX_FILES = 1_000
_MOST = 60


class Folder(NamedTuple):
    """What was read: definitions, and each fault with the file that it is in."""

    path: Path
    definitions: tuple[Defined, ...]
    faults: tuple[tuple[str, Path], ...]


def folder_of(name: str) -> Path:
    """The folder of a preset's name, or of a path; a single file will do. ConfigError where there is none."""
    preset = PRESETS / name
    path = preset if name and "/" not in name and preset.is_dir() else Path(name)
    if not name or not path.exists():
        presets = ", ".join(sorted(each.name for each in PRESETS.iterdir() if each.is_dir()))
        raise ConfigError("no such folder of definitions", name, f"presets are: {presets}")
    return path


def read(path: Path) -> Folder:
    """Every definition of a folder; what is wrong with single ones is among its faults."""
    found, wrong = list[Defined](), list[tuple[str, Path]]()
    for file in _files(path):
        try:
            document = read_yaml(file)
        except ConfigError as error:
            wrong.append((error.what, Path(error.where)))
            continue
        for number, one in enumerate(document if isinstance(document, list) else [document]):
            try:
                found.append(_definition(one, file))
            except ConfigError as error:
                wrong.append((f"{_called(one, number)}: {error.what}", file))
    return Folder(path, tuple(found), tuple(wrong))


def checked(folder: Folder, lifecycle: Lifecycle | None = None) -> list[Defined]:
    """Its definitions, with this lifecycle where it has none; ConfigError names every fault with its place."""
    found = list(folder.definitions)
    if lifecycle is not None and not any(isinstance(each, Lifecycle) for each in found):
        found.append(lifecycle)
    if folder.faults:
        where = ", ".join(dict.fromkeys(str(file) for _, file in folder.faults))
        raise _refused([what for what, _ in folder.faults], where)
    return together(found, str(folder.path))


def together(definitions: list[Defined], where: str) -> list[Defined]:
    """These definitions, where they can be in force together; else ConfigError, with every fault."""
    wrong = faults(definitions)
    if len(definitions) > MAX_DEFINITIONS:
        wrong.append(f"{len(definitions):,} definitions; a model has {MAX_DEFINITIONS:,} at most")
    if wrong:
        raise _refused(wrong, where)
    return definitions


def load(name: str, lifecycle: Lifecycle | None = None) -> list[Defined]:
    """The definitions of a preset or a folder, as they can be in force together; ConfigError where they cannot."""
    return checked(read(folder_of(name)), lifecycle)


def _refused(wrong: list[str], where: str) -> ConfigError:
    more = [f"and {len(wrong) - MAX_FAULTS:,} more"] if len(wrong) > MAX_FAULTS else []
    return ConfigError("\n  ".join([*wrong[:MAX_FAULTS], *more]), where, "`cdp definitions validate` checks")


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file())
    if not files:
        raise ConfigError("a folder without definitions", str(path), f"files end in {', '.join(SUFFIXES)}")
    if len(files) > MAX_FILES:
        raise ConfigError(f"{len(files):,} files; {MAX_FILES:,} at most", str(path))
    return files


def _definition(document: Any, file: Path) -> Defined:
    found = parse(document, str(file))
    if not isinstance(found, Lifecycle | Value | Role | TagRules | Segment):
        raise ConfigError(f"kind {found.kind} is no part of a model, which has {', '.join(KINDS)}", str(file))
    return found


def _called(document: Any, number: int) -> str:
    """`segment/vip`, or where it stands in its file."""
    if isinstance(document, dict) and all(isinstance(document.get(part), str) for part in ("kind", "name")):
        name = f"{document['kind']}/{document['name']}"
        if len(name) <= _MOST and name.isprintable():
            return name
    return f"definition {number + 1}"
