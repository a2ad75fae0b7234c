"""Interleaved timing: what is compared runs turn by turn, so that a busy machine slows all of it alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timed:
    """Seconds on the clock of each turn, by contender; the first is the baseline.

    Also of processor time, where all the work is done in this process.
    """

    wall: Mapping[str, list[float]]
    cpu: Mapping[str, list[float]]

    def lines(self) -> list[str]:
        """One line for each contender: its seconds, and its ratio to the baseline turn by turn."""
        baseline = next(iter(self.wall))
        shown = []
        for name in self.wall:
            seconds = statistics.median(self.wall[name])
            line = f"  {name:<38} {seconds:8.3f} s"
            if name != baseline:
                wall = _ratios(self.wall[name], self.wall[baseline])
                line += f"   ratio {wall}"
                if self.cpu:
                    line += f"   of processor time {_ratios(self.cpu[name], self.cpu[baseline])}"
            shown.append(line)
        return shown


def interleaved(contenders: Mapping[str, Callable[[], object]], *, turns: int, warm_up: bool = True) -> Timed:
    """Run each contender once to warm up, then in turns."""
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(0 if warm_up else 1, turns + 1):
        for name, run in contenders.items():
            began, began_cpu = time.perf_counter(), time.process_time()
            run()
            if turn:
                wall[name].append(time.perf_counter() - began)
                cpu[name].append(time.process_time() - began_cpu)
    return Timed(wall, cpu)


def _ratios(ours: list[float], theirs: list[float]) -> str:
    ratios = sorted(our / their for our, their in zip(ours, theirs, strict=True))
    return f"{ratios[0]:.3f} / {statistics.median(ratios):.3f} / {ratios[-1]:.3f}"
