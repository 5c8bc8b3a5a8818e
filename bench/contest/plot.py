# SPDX-License-Identifier: Apache-2.0
"""A record as bars in one SVG: a group for each row, a bar for each contestant, a line from its least to its most."""
from html import escape

from contest.record import OURS, figure

WIDTH, LABELS, BARS = 860, 250, 470
BAR, GAP = 16, 30
INK, QUIET, COLOUR, OTHER = "#1f2430", "#68707f", "#2867b2", "#b8c0cc"


def text(x, y, words, colour=INK, anchor="start", weight="normal"):
    return (f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">'
            f"{escape(words)}</text>")


def svg(rows):
    parts, y = [], 10
    for row in rows:
        y += GAP
        better = "more" if row.more_is_better else "less"
        parts.append(text(10, y - 8, f"{row.name}, {row.unit} ({better} is better)", weight="bold"))
        most = max(run.value for runs in row.runs.values() for run in runs)
        for name, runs in row.runs.items():
            values = [run.value for run in runs]
            middle = BARS * row.middle(name) / most
            low, high = (LABELS + BARS * value / most for value in (min(values), max(values)))
            colour = COLOUR if name.startswith(OURS) else OTHER
            parts.append(text(LABELS - 8, y + 12, name, anchor="end"))
            parts.append(f'<rect x="{LABELS}" y="{y}" width="{middle:.1f}" height="{BAR - 3}" fill="{colour}"/>')
            parts.append(f'<path d="M{low:.1f} {y + 6.5}H{high:.1f}" stroke="{INK}"/>')
            parts.append(text(LABELS + BARS + 10, y + 12, figure(row.middle(name)), colour=QUIET))
            y += BAR
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 20}" font-family="sans-serif" '
            f'font-size="12">\n<rect width="{WIDTH}" height="{y + 20}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n")
