# SPDX-License-Identifier: Apache-2.0
"""What a running process takes, measured again and again, and whether it grows."""
import csv
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True)
class Figure:
    """One column. A process is flat when the median of a later window exceeds that of an earlier one by no more than
    `share` of it and `more`."""

    name: str
    unit: str
    share: float
    more: float


FIGURES = (
    Figure("memory", "MiB", 0.10, 8),
    Figure("private memory", "MiB", 0.10, 8),
    Figure("file descriptors", "", 0.10, 8),
    Figure("threads", "", 0.0, 4),
    Figure("nameless files", "", 0.10, 6),
    Figure("disk", "MiB", 0.20, 4),
)


def _kib_of(text, name):
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name + ":"))


def _nameless(process):
    """Bytes on the disk of each file that is open and has no name any more."""
    for link in (process / "fd").iterdir():
        try:
            if os.readlink(link).startswith("/") and (about := link.stat()).st_nlink == 0:
                yield about.st_blocks * 512
        except OSError:  # closed meanwhile
            continue


def measure(pid, directory):
    """Values in the order of FIGURES; `directory`: where the process keeps files, which count as disk, too."""
    process = Path("/proc") / str(pid)
    status, rollup = (process / "status").read_text(), (process / "smaps_rollup").read_text()
    nameless = list(_nameless(process))
    named = sum(path.stat().st_blocks * 512 for path in directory.iterdir() if path.is_file())
    private = _kib_of(rollup, "Private_Clean") + _kib_of(rollup, "Private_Dirty")
    return (_kib_of(status, "VmRSS") / 1024, private / 1024, len(list((process / "fd").iterdir())),
            _kib_of(status, "Threads"), len(nameless), (sum(nameless) + named) / MIB)


class Record:
    """Measurements of one process over time, each with a count of what it had done until then."""

    def __init__(self, pid, directory):
        self.pid, self.directory, self.started = pid, directory, time.monotonic()
        self.rows = []  # seconds, work, then the figures

    def take(self, work):
        self.rows.append((time.monotonic() - self.started, work, *measure(self.pid, self.directory)))

    def windows(self, warm_up, count):
        """The rows after `warm_up` (a share of all time), in `count` windows of equal length."""
        length = self.rows[-1][0]
        begin, step = length * warm_up, length * (1 - warm_up) / count
        return [[row for row in self.rows if begin + step * number <= row[0] <= begin + step * (number + 1)]
                for number in range(count)]

    def medians(self, windows):
        """One list for each window, in the order of FIGURES."""
        return [[statistics.median(row[2 + column] for row in window) for column in range(len(FIGURES))]
                for window in windows]

    def growth(self, medians, apart_from=()):
        """In words, what grew from the first window to the last by more than it may; empty when nothing did. Figures
        whose names are in `apart_from` are not looked at."""
        first, last = medians[0], medians[-1]
        return [f"{figure.name} grew from {before:.1f} to {after:.1f} {figure.unit}".rstrip()
                for figure, before, after in zip(FIGURES, first, last, strict=True)
                if figure.name not in apart_from and after > before * (1 + figure.share) + figure.more]

    def table(self, windows, medians):
        lines = ["| minutes | changes | " + " | ".join(f"{f.name}, {f.unit}" if f.unit else f.name for f in FIGURES)
                 + " |", "|---" * (len(FIGURES) + 2) + "|"]
        for window, values in zip(windows, medians, strict=True):
            lines.append(f"| {window[0][0] / 60:.1f} to {window[-1][0] / 60:.1f} | {window[-1][1]:,} | "
                         + " | ".join(f"{value:.1f}" if isinstance(value, float) and figure.unit else f"{value:.0f}"
                                      for figure, value in zip(FIGURES, values, strict=True)) + " |")
        return "\n".join(lines)

    def write_csv(self, path):
        with open(path, "w", newline="", encoding="ascii") as file:
            writer = csv.writer(file)
            writer.writerow(["seconds", "changes", *(figure.name for figure in FIGURES)])
            writer.writerows((f"{row[0]:.1f}", row[1], *(f"{value:.2f}" for value in row[2:])) for row in self.rows)

    def write_svg(self, path):
        path.write_text(_svg(self.rows), encoding="ascii")


WIDTH, PANEL, LEFT = 720, 110, 140


def _svg(rows):
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{PANEL * len(FIGURES) + 30}" '
             'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    end = max(rows[-1][0], 1)
    for column, figure in enumerate(FIGURES):
        values = [row[2 + column] for row in rows]
        top, bottom, highest = PANEL * column + 15, PANEL * (column + 1), max(*values, 1) * 1.1
        points = " ".join(f"{LEFT + row[0] / end * (WIDTH - LEFT - 20):.1f},"
                          f"{bottom - value / highest * (bottom - top):.1f}" for row, value in zip(rows, values))
        parts += [f'<text x="10" y="{top + 14}">{figure.name}</text>',
                  f'<text x="10" y="{top + 30}" fill="#57606a">at most {max(values):.1f} {figure.unit}</text>',
                  f'<path d="M{LEFT},{top} V{bottom} H{WIDTH - 20}" fill="none" stroke="#8b949e"/>',
                  f'<polyline points="{points}" fill="none" stroke="#0969da" stroke-width="1.5"/>']
    parts.append(f'<text x="{LEFT}" y="{PANEL * len(FIGURES) + 20}">0 to {end / 60:.1f} minutes</text></svg>')
    return "\n".join(parts) + "\n"
