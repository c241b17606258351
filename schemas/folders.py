"""A folder of definitions: everything that is to be in force together, in as many files as one likes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from schemas.definitions import MAX_FAULTS, PRESETS, line_of, model_of, read_yaml, tried
from schemas.errors import ConfigError
from schemas.graph import KINDS, Defined, faults
from schemas.lifecycle import Lifecycle
from schemas.portrait import Role, Segment, TagRules, Value

SUFFIXES = (".yaml", ".yml", ".json")
MAX_DEFINITIONS = 1_000
MAX_FILES = 1_000
HINT = "docs/conditions.md has every operator with an example"
_MOST = 60


class Fault(NamedTuple):
    """What is wrong in a file; `way`: where in it, as far as that is known."""

    text: str
    file: Path
    way: tuple[int | str, ...] = ()


class Folder(NamedTuple):
    """What was read: definitions, and each fault of single ones with the file that it is in.

    `written`: name -> file and place of a definition, read or not. `unversioned`: names of those whose file gives no
    version; here they have 1.
    """

    path: Path
    definitions: tuple[Defined, ...]
    faults: tuple[Fault, ...]
    written: Mapping[str, tuple[Path, tuple[int | str, ...]]]
    unversioned: frozenset[str]


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
    found, wrong = list[Defined](), list[Fault]()
    written, unversioned = dict[str, tuple[Path, tuple[int | str, ...]]](), set[str]()
    for file in _files(path):
        try:
            document = read_yaml(file)
        except ConfigError as error:
            wrong.append(Fault(f"{_short(path, Path(error.where))}: {error.what}", file))
            continue
        for number, one in enumerate(document if isinstance(document, list) else [document]):
            way, name = (number,) if isinstance(document, list) else (), _called(one, number)
            written[name] = file, way
            if isinstance(one, dict) and "version" not in one:
                unversioned.add(name)
            definition = _definition(one, file)
            if isinstance(definition, list):
                wrong += [Fault(f"{name}: {each}", file, (*way, *_way(each))) for each in definition]
            else:
                found.append(definition)
    return Folder(path, tuple(found), tuple(wrong), written, frozenset(unversioned))


def checked(folder: Folder, lifecycle: Lifecycle | None = None) -> list[Defined]:
    """Its definitions, with this lifecycle where it has none; ConfigError names every fault with its place."""
    found, wrong = list(folder.definitions), list(folder.faults)
    if lifecycle is not None and not any(name.startswith("lifecycle/") for name in folder.written):
        found.append(lifecycle)
    if all(fault.way for fault in wrong):  # in a file that cannot be read may be whatever is missing
        wrong += [_of_several(fault, folder) for fault in faults(found, folder.written)]
    if wrong:
        where = ", ".join(dict.fromkeys(str(each.file) for each in wrong))
        told = [_located(each, folder.path) for each in wrong[:MAX_FAULTS]]
        raise _refused([*told, *(each.text for each in wrong[MAX_FAULTS:])], where)
    return _not_too_many(found, str(folder.path))


def together(definitions: list[Defined], where: str) -> list[Defined]:
    """These definitions, where they can be in force together; else ConfigError, with every fault."""
    wrong = faults(definitions)
    if wrong:
        raise _refused(wrong, where)
    return _not_too_many(definitions, where)


def load(name: str, lifecycle: Lifecycle | None = None) -> list[Defined]:
    """The definitions of a preset or a folder, as they can be in force together; ConfigError where they cannot."""
    return checked(read(folder_of(name)), lifecycle)


def _not_too_many(definitions: list[Defined], where: str) -> list[Defined]:
    if len(definitions) > MAX_DEFINITIONS:
        raise _refused([f"{len(definitions):,} definitions; a model has {MAX_DEFINITIONS:,} at most"], where)
    return definitions


def _refused(wrong: list[str], where: str) -> ConfigError:
    more = [f"and {len(wrong) - MAX_FAULTS:,} more"] if len(wrong) > MAX_FAULTS else []
    return ConfigError("\n  ".join([*wrong[:MAX_FAULTS], *more]), where, HINT)


def _of_several(fault: str, folder: Folder) -> Fault:
    """A fault that several definitions have together, where the one that it names is written."""
    name, _, said = fault.partition(": ")
    file, way = folder.written.get(name, (folder.path, ()))
    return Fault(fault, file, (*way, *_way(said)))


def _way(said: str) -> tuple[str, ...]:
    """The place that a fault begins with, `when.all.1.did: ...`."""
    return tuple(said.partition(": ")[0].split("."))


def _located(fault: Fault, folder: Path) -> str:
    if not fault.way or not fault.file.is_file():
        return fault.text
    return f"{fault.text} ({_short(folder, fault.file)}:{line_of(fault.file, fault.way)})"


def _short(folder: Path, file: Path) -> str:
    """A file as one names it within its folder."""
    return file.name if file == folder or not file.is_relative_to(folder) else str(file.relative_to(folder))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file())
    if not files:
        raise ConfigError("a folder without definitions", str(path), f"files end in {', '.join(SUFFIXES)}")
    if len(files) > MAX_FILES:
        raise ConfigError(f"{len(files):,} files; {MAX_FILES:,} at most", str(path))
    return files


def _definition(document: Any, file: Path) -> Defined | list[str]:
    """A definition, or what is wrong with it."""
    try:
        model = model_of(document, str(file))
    except ConfigError as error:
        return [error.what]
    found = tried(model, {"version": 1, **document})
    if isinstance(found, list | Lifecycle | Value | Role | TagRules | Segment):
        return found
    return [f"kind {found.kind} is no part of a model, which has {', '.join(KINDS)}"]


def _called(document: Any, number: int) -> str:
    """`segment/vip`, or where it stands in its file."""
    if isinstance(document, dict) and all(isinstance(document.get(part), str) for part in ("kind", "name")):
        name = f"{document['kind']}/{document['name']}"
        if len(name) <= _MOST and name.isprintable():
            return name
    return f"definition {number + 1}"
