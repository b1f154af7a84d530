"""What a benchmark is, and the list of all of them."""

import contextlib
import os
import statistics
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIMIT_S = 900.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One figure.

    Attributes:
        name: what was measured, `benchmark.part`.
        value: median of the runs, or whatever the note says.
        unit: of value, peer_value and the extremes.
        runs: how many measurements the value comes from.
        lowest: of the runs.
        highest: of the runs.
        peer: what else does the same, in the same run on the same machine; empty without one.
        peer_value: its figure.
        budget: what architecture §8 asks for; empty without one.
        note: what somebody must know to read the figure.
    """

    name: str
    value: float
    unit: str
    runs: int
    lowest: float
    highest: float
    peer: str = ""
    peer_value: float | None = None
    budget: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's."""
        return self.value / self.peer_value if self.peer_value else None

    def as_json(self, command: str) -> dict[str, Any]:
        """The object in `bench.json`."""
        return {
            "name": self.name,
            "value": significant(self.value),
            "unit": self.unit,
            "runs": self.runs,
            "peer": self.peer or None,
            "peer_value": significant(self.peer_value),
            "ratio": significant(self.ratio),
            "command": command,
            "lowest": significant(self.lowest),
            "highest": significant(self.highest),
            "budget": self.budget or None,
            "note": self.note or None,
        }


def significant(value: float | None) -> float | None:
    """Four figures; more would claim what was not measured."""
    return value if value is None else float(f"{value:.4g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What a benchmark holds while it runs.

    Attributes:
        name: of the benchmark.
        unit: of results that name none.
        folder: empty and on a real disk; removed afterwards.
        results: figures so far.
    """

    name: str
    unit: str
    folder: Path
    results: list[Result] = field(default_factory=list)

    def say(self, progress: str) -> None:
        """Tell the person who waits."""
        print(f"  {self.name}: {progress}", flush=True)  # noqa: T201

    def result(self, part: str, runs: Sequence[float], *, value: float | None = None, **more: Any) -> None:
        """Note a figure.

        Args:
            part: what of the benchmark; empty when it is the whole.
            runs: every measurement.
            value: the figure; the median of the runs when absent.
            more: other fields of `Result`.
        """
        figure = statistics.median(runs) if value is None else value
        fields = {"unit": self.unit, "runs": len(runs), **more}
        name = ".".join(filter(None, (self.name, part)))
        result = Result(name=name, value=figure, lowest=min(runs), highest=max(runs), **fields)
        self.results.append(result)
        self.say(f"{name} = {figure:.4g} {result.unit}")


class UnavailableError(Exception):
    """This machine lacks what the benchmark needs; the text says what, and how to get it."""


Function = Callable[[Bench], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Benchmark:
    """A registered one."""

    name: str
    unit: str
    limit_s: float
    function: Function

    @property
    def command(self) -> str:
        """What repeats it."""
        return f"ONLY={self.name} make bench"


BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str, *, unit: str, limit_s: float = LIMIT_S) -> Callable[[Function], Function]:
    """Register a benchmark: an async function that takes a `Bench` and notes results in it.

    Args:
        name: unique; `ONLY=` picks by any part of it.
        unit: of its results, unless they name another.
        limit_s: it is given up after so many seconds.
    """

    def register(function: Function) -> Function:
        assert name not in BENCHMARKS
        BENCHMARKS[name] = Benchmark(name=name, unit=unit, limit_s=limit_s, function=function)
        return function

    return register


def chosen(only: str) -> Iterator[Benchmark]:
    """Those whose name holds `only`, in order of name; all when it is empty."""
    return (one for name, one in sorted(BENCHMARKS.items()) if only in name)


def size(variable: str, default: int) -> int:
    """A size that the environment may set, such as ROWS.

    Raises:
        SystemExit: it is no positive whole number.
    """
    text = os.environ.get(variable, "")
    with contextlib.suppress(ValueError):
        if (value := int(text or default)) > 0:
            return value
    raise SystemExit(f"{variable}={text} is no positive whole number.")


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
