"""`python -m tests.benchmarks`: run the benchmarks, write `bench.json`, print a table. `ONLY=part` picks by name."""

import asyncio
import importlib
import json
import os
import pkgutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import tests.benchmarks
from tests.benchmarks.machine import machine
from tests.benchmarks.registry import Bench, Benchmark, Result, UnavailableError, chosen
from tests.benchmarks.table import table
from tests.repository import ROOT

REPORT = ROOT / "bench.json"


def main() -> int:
    """Run what was asked for; returns the exit code, 1 when a benchmark failed."""
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    for module in pkgutil.iter_modules(tests.benchmarks.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"tests.benchmarks.{module.name}")
    benchmarks = list(chosen(os.environ.get("ONLY", "")))
    if not benchmarks:
        print("No benchmark has such a name.", file=sys.stderr)
        return 2
    header = machine()
    print(header, flush=True)
    done = {one: measured(one) for one in benchmarks}
    rows = [result.as_json(one.command) for one, results in done.items() for result in results or ()]
    REPORT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"\n{header}\n\n{table([result for results in done.values() for result in results or ()])}")
    failed = [one.name for one, results in done.items() if results is None]
    if failed:
        print(f"\nFailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def measured(one: Benchmark) -> list[Result] | None:
    """Run one benchmark in a loop and a folder of its own; None when it failed."""
    print(f"\n{one.name}", flush=True)
    began_s = time.monotonic()
    # Beside the state of the demo, so on the disk that the product would use; /tmp may be memory.
    parent = Path(os.environ.get("XUNLU_STATE", ROOT / ".xunlu"))
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        bench = Bench(name=one.name, unit=one.unit, folder=Path(folder))
        try:
            asyncio.run(_bounded(one, bench))
        except UnavailableError as reason:
            bench.say(f"skipped: {reason}")
            return []
        except Exception:  # noqa: BLE001  the others are measured all the same
            traceback.print_exc()
            return None
    bench.say(f"took {time.monotonic() - began_s:.0f} s")
    return bench.results


async def _bounded(one: Benchmark, bench: Bench) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with asyncio.timeout(one.limit_s):
        await one.function(bench)


if __name__ == "__main__":
    sys.exit(main())
