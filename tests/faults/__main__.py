"""`python -m tests.faults [--short] [--only LAYER] [--afresh] [--write-docs]`: break it, count what broke.

Whole layers that held are kept by their commit in `.faults`, so that an interrupted run of hours goes on.

To add a layer, write a module with `run(short, say) -> Layer | list[Layer]` and name it in LAYERS. One that
renders a part of the documentation has `write_docs()` too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Sequence
from types import ModuleType

from tests.faults.kept import Kept
from tests.faults.report import Layer, Say, as_list, as_table
from tests.support import databases

LAYERS: tuple[str, ...] = (
    "crash_points",
    "sigkill",
    "network",
    "databases",
    "interleavings",
    "differential",
    "random_lives",
    "soak",
    "seeded_bugs",
    "airflow_scenarios",
)
"""Modules of this package, in the order in which they run."""

LOOPBACK = "http://127.0.0.1:* https://127.0.0.1:* http://localhost:* http://*.invalid"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make faults", description="Faults, and what they broke.")
    parser.add_argument("--short", action="store_true", help="the sample that `make test` runs")
    parser.add_argument("--only", type=_layer, action="append", help="one layer, or how its name begins")
    parser.add_argument("--afresh", action="store_true", help="play layers again that held at this commit")
    parser.add_argument("--write-docs", action="store_true", help="render into the docs what a layer found")
    options = parser.parse_args(arguments)
    modules = [importlib.import_module(f"tests.faults.{name}") for name in options.only or LAYERS]
    os.environ["RESCORE_ALLOWED_HOSTS"] = LOOPBACK
    own_server = databases.URL not in os.environ
    if own_server:
        databases.reserve_folder()
    try:
        if options.short:
            layers = [layer for module in modules for layer in run(module, short=True, say=_say)]
        else:
            kept = Kept()
            layers = [layer for module in modules for layer in _whole(module, kept, afresh=options.afresh)]
    finally:
        if own_server:
            databases.remove_folder()
    if options.write_docs:
        for module in modules:
            if hasattr(module, "write_docs"):
                module.write_docs()
    print("\n" + as_table(layers))
    if told := as_list(layers):
        print("\n" + told)
    return 0 if all(layer.holds for layer in layers) else 1


def _layer(beginning: str) -> str:
    found = [name for name in LAYERS if name.startswith(beginning)]
    if len(found) != 1:
        raise argparse.ArgumentTypeError(f"there are the layers {', '.join(LAYERS)}, not `{beginning}`")
    return found[0]


def _whole(module: ModuleType, kept: Kept, *, afresh: bool) -> list[Layer]:
    """The layers of one module in full; or what they came to before at this commit."""
    name = module.__name__.rpartition(".")[2]
    if not afresh and (before := kept.layers(name)):
        _say(f"{name}: held before at this commit")
        return before
    layers = run(module, short=False, say=_say)
    kept.keep(name, layers)
    return layers


def run(module: ModuleType, *, short: bool, say: Say) -> list[Layer]:
    """The layers of one module, timed; the time of several that ran as one is split evenly."""
    began = time.monotonic()
    say(f"{module.__name__.rpartition('.')[2]} ...")
    found = module.run(short, say)
    layers: list[Layer] = found if isinstance(found, list) else [found]
    for layer in layers:
        layer.seconds = layer.seconds or (time.monotonic() - began) / len(layers)
    return layers


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
