# SPDX-License-Identifier: Apache-2.0
"""The table of a record, as Markdown, and the files of a benchmark."""
from statistics import median

from contest.plot import svg
from contest.record import SMALLEST, figure, load


def publish(record, folder, title):
    """Writes all rows, those of earlier runs too, as JSON, as a table under `title`, and as a plot."""
    path = record.save(folder)
    rows, _ = load(path)
    table = f"{title}\n\n" + "\n".join(lines(rows)) + "\n"
    path.with_suffix(".md").write_text(table)
    path.with_suffix(".svg").write_text(svg(rows))
    print(f"\n{table}\n{path}, {path.with_suffix('.md').name}, {path.with_suffix('.svg').name}")


def lines(rows):
    yield "| what | contestant | median | least to most | ratio, each round | asked |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in rows:
        for place, (name, runs) in enumerate(row.runs.items()):
            values = [run.value for run in runs]
            goals = [(goal, row.best(goal.against)) for goal in row.goals if goal.ours == name]
            goals = [(goal, other) for goal, other in goals if other]
            yield (f"| {f'{row.name}, {row.unit}' if place == 0 else ''} | {name} | {figure(median(values))} | "
                   f"{figure(min(values))} to {figure(max(values))} | "
                   f"{'; '.join(against(row, goal, other) for goal, other in goals)} | "
                   f"{'; '.join(verdict(row, goal, other) for goal, other in goals)} |")
    yield ""
    yield "| MAIA itself | CPU seconds per million rows | peak memory, MiB |"
    yield "| --- | --- | --- |"
    for row in rows:
        for name, runs in row.runs.items():
            if runs[0].cpu is not None:
                yield (f"| {row.name}: {name} | {median(run.cpu for run in runs):.2f} | "
                       f"{max(run.memory for run in runs):.0f} |")


def against(row, goal, other):
    ratios = row.ratios(goal.ours, other)
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) of {other}"


def verdict(row, goal, other):
    ratio = row.middle(goal.ours) / max(row.middle(other), SMALLEST)
    met = ratio >= goal.at_least if row.more_is_better else ratio <= goal.at_least
    word = "at least" if row.more_is_better else "at most"
    return f"{word} {goal.at_least}: {'met' if met else 'missed'}"
