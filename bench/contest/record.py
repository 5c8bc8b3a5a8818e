# SPDX-License-Identifier: Apache-2.0
"""Measurements of a benchmark, and what follows from them: medians, and ratios within each round."""
import json
import os
import platform
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

OURS = "maia"
SMALLEST = 0.001  # of what may be divided by


@dataclass
class Run:
    """One contestant in one round. `value` is in the unit of its row."""
    value: float
    seconds: float = 0.0
    cpu: float | None = None      # seconds of our process, per million rows
    memory: float | None = None   # MiB, the most that was resident


@dataclass
class Goal:
    """What is asked of `ours` against the best of some contestants."""
    against: list
    at_least: float               # ratio of medians; for a latency: how many times as long at most
    ours: str = OURS


@dataclass
class Row:
    name: str
    unit: str = "rows/s"
    more_is_better: bool = True
    goals: list = field(default_factory=list)
    runs: dict = field(default_factory=dict)  # contestant -> [Run] by round

    def middle(self, contestant):
        return median(run.value for run in self.runs[contestant])

    def best(self, contestants):
        """Of those that ran, the one with the best median."""
        ran = [each for each in contestants if each in self.runs]
        choose = max if self.more_is_better else min
        return choose(ran, key=self.middle) if ran else None

    def ratios(self, ours, other):
        """Ours to the other's, round by round, so that the machine's mood of a round touches both."""
        return [a.value / max(b.value, SMALLEST) for a, b in zip(self.runs[ours], self.runs[other])]


class Record:
    """All rows of one benchmark. `quick` says that it was run with less work and fewer rounds."""

    def __init__(self, name, settings):
        self.name = name
        self.settings = settings
        self.rows = {}

    def row(self, name, **properties):
        return self.rows.setdefault(name, Row(name, **properties))

    def add(self, row, contestant, run):
        self.rows[row].runs.setdefault(contestant, []).append(run)
        memory = "" if run.memory is None else f", {run.memory:.0f} MiB"
        cpu = "" if run.cpu is None else f", {run.cpu:.2f} s CPU per million"
        print(f"  {row}: {contestant} {figure(run.value)} {self.rows[row].unit}{cpu}{memory}", flush=True)

    def save(self, folder):
        """Writes NAME.json, over that of an earlier run; rows that this one left out stay."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        rows = {each["name"]: each for each in json.loads(path.read_text())["rows"]} if path.exists() else {}
        stamp = {"settings": self.settings, "machine": machine()}
        rows.update({row.name: {**asdict(row), **stamp} for row in self.rows.values()})
        path.write_text(json.dumps({"benchmark": self.name, "rows": list(rows.values())}, indent=1) + "\n")
        return path


def load(path):
    """The rows of a file that `save` has written, with the settings and machine of each."""
    rows, stamps = [], {}
    for each in json.loads(Path(path).read_text())["rows"]:
        stamps[each["name"]] = (each.pop("settings"), each.pop("machine"))
        each["goals"] = [Goal(**goal) for goal in each["goals"]]
        each["runs"] = {name: [Run(**run) for run in runs] for name, runs in each["runs"].items()}
        rows.append(Row(**each))
    return rows, stamps


def in_turn(contestants, turn):
    """The contestants of one round: nobody is always first."""
    at = turn % len(contestants)
    return contestants[at:] + contestants[:at]


def figure(value):
    if value >= 10_000:
        return f"{value / 1000:,.0f} k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def machine():
    def first(path, key):
        found = [line.split(":", 1)[1].strip() for line in Path(path).read_text().splitlines() if line.startswith(key)]
        return found[0] if found else ""

    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "processor": first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": first("/proc/meminfo", "MemTotal"),
        "system": platform.platform(),
        "commit": commit.stdout.strip(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
