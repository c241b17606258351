"""`python -m bench [NAME ...]`: run the benchmarks named, or all; a table on the terminal and a JSON file."""

import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import orjson
from rich.console import Console
from rich.table import Table

from bench.conditions import preview
from bench.definitions import definitions
from bench.figures import Figure, Result
from bench.fold import fold
from bench.freshness import freshness
from bench.hooks import hooks
from bench.identity import identity
from bench.imports import imports
from bench.ingest import ingest
from bench.publish import publication
from bench.restart import restart
from bench.sink import sink
from schemas.errors import CdpError

BENCHMARKS: dict[str, Callable[[], Result]] = {
    "fold": fold,
    "ingest": ingest,
    "hooks": hooks,
    "sink": sink,
    "freshness": freshness,
    "restart": restart,
    "identity": identity,
    "preview": preview,
    "definitions": definitions,
    "publish": publication,
    "import": imports,
}
RESULTS = Path(__file__).parent / "results" / "latest.json"


def main(names: list[str]) -> int:
    """Run, show and write; 1 where a limit is missed or a benchmark fails, 2 where a name is unknown."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(
            f"error: no benchmark {', '.join(unknown)}\nhint: there are {', '.join(BENCHMARKS)}",
            file=sys.stderr,
        )
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    console, results = Console(), list[Result]()
    for name in names or BENCHMARKS:
        with console.status(f"measuring {name}"):
            result = BENCHMARKS[name]()
        results.append(result)
        console.print(table(result))
        _write(results)
    console.print(f"written to {RESULTS}")
    return int(any(figure.holds is False for result in results for figure in result.figures))


def table(result: Result) -> Table:
    """The figures of one benchmark beside their limits, and the memory of its processes."""
    shown = Table(
        title=result.name, caption=f"{result.about}. Load before: {result.load:.1f}", title_justify="left"
    )
    for heading in ("figure", "measured", "limit", ""):
        shown.add_column(heading, justify="left" if heading == "figure" else "right")
    for figure in result.figures:
        shown.add_row(figure.what, _amount(figure.value, figure.unit), *_limit(figure))
    for process, (now, peak) in result.memory.items():
        shown.add_row(f"memory of {process}", f"{now:,.0f} MB", "", f"peak {peak:,.0f} MB")
    return shown


def _limit(figure: Figure) -> tuple[str, str]:
    if figure.limit is None:
        return "", ""
    return f"{figure.bound} {_amount(figure.limit, figure.unit)}", "kept" if figure.holds else "missed"


def _amount(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if abs(value) >= 1_000 else f"{value:.3g} {unit}"


def _write(results: list[Result]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    whole = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "benchmarks": [r.as_json() for r in results],
    }
    RESULTS.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2))


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except CdpError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
