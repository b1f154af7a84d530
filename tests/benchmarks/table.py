"""Results for people."""

from collections.abc import Sequence

from tests.benchmarks.registry import Result

HEAD = ("what", "value", "lowest … highest", "runs", "peer", "ratio", "budget")


def table(results: Sequence[Result]) -> str:
    """A Markdown table with aligned columns; notes stand below it."""
    rows = [HEAD, *map(_cells, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    about: dict[str, list[str]] = {}
    for result in results:
        about.setdefault(result.note, []).append(result.name)
    notes = [f"- {', '.join(names)}: {note}" for note, names in about.items() if note]
    return "\n".join([*lines, "", *notes])


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.name,
        f"{number(result.value)} {result.unit}",
        f"{number(result.lowest)} … {number(result.highest)}",
        str(result.runs),
        "" if result.peer_value is None else f"{number(result.peer_value)} {result.unit}: {result.peer}",
        "" if result.ratio is None else f"{result.ratio:.2f}",
        result.budget,
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"


def number(value: float) -> str:
    """Three figures, with separators where they help."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
