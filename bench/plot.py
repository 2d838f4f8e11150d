#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/performance.svg from what `repobench --json` wrote: time and memory of append1 against the size of the
repository, both axes logarithmic. With --table, replaces the table in docs/performance.md by repobench's output."""
import argparse
import json
import math
import pathlib
import re

WIDTH, HEIGHT = 860, 400
PANEL_WIDTH, PANEL_HEIGHT, TOP = 300, 250, 56
PANELS = (70, 510)  # their left edges
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 14px; font-weight: 600; }
  .grid { stroke: #8b949e; stroke-opacity: 0.3; }
  .line { fill: none; stroke-width: 2; }
  .warm { stroke: #0969da; } .cold { stroke: #8250df; } .other { stroke: #bc4c00; } .floor { stroke: #57606a; }
  .dot.warm { fill: #0969da; } .dot.cold { fill: #8250df; } .dot.other { fill: #bc4c00; } .dot.floor { fill: #57606a; }
  .floor.line { stroke-dasharray: 4 4; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .warm { stroke: #58a6ff; } .cold { stroke: #bc8cff; } .other { stroke: #ffa657; } .floor { stroke: #9da7b1; }
    .dot.warm { fill: #58a6ff; } .dot.cold { fill: #bc8cff; } .dot.other { fill: #ffa657; }
    .dot.floor { fill: #9da7b1; }
  }
"""


class Scale:
    """From a value to a place, by its logarithm."""

    def __init__(self, values, begin, end):
        self.low, self.high = math.log10(min(values)), math.log10(max(values))
        self.begin, self.end = begin, end

    def __call__(self, value):
        part = (math.log10(value) - self.low) / ((self.high - self.low) or 1)
        return self.begin + part * (self.end - self.begin)

    def ticks(self):
        return [10**power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]


def number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def select(results, compression):
    """Series of (packages, seconds, bytes), by what they are called; bytes may be None."""
    series = {"warm": [], "cold": [], "other": [], "floor": []}
    for one in results["measurements"]:
        if (one["workload"], one["compression"]) != ("append1", compression) or not one["open_checksum"]:
            continue
        if one["file_system"] != results["file_system"]:
            continue
        size, own, other = one["packages"], one["repoupdate"], one.get("createrepo_c")
        series[one["start"]].append((size, own["wall"], own["peak_memory"]))
        if one["start"] == "warm":
            series["floor"].append((size, one["floor"], None))
            if other:
                series["other"].append((size, other["wall"], other["peak_memory"]))
    return {name: sorted(points) for name, points in series.items()}


def draw_panel(left, title, unit, series, sizes):
    values = [value for points in series.values() for _, value in points]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
    across = Scale(sizes, left, left + PANEL_WIDTH)
    up = Scale((low, high), TOP + PANEL_HEIGHT, TOP)
    bottom = TOP + PANEL_HEIGHT
    out = [f'<text class="title" x="{left}" y="{TOP - 20}">{title}</text>']
    for tick in up.ticks():
        y = up(tick)
        out.append(f'<line class="grid" x1="{left}" x2="{left + PANEL_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{number(tick)} {unit}</text>')
    for size in sizes:
        x = across(size)
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>')
        out.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{size:,}</text>')
    out.append(f'<text x="{left + PANEL_WIDTH / 2}" y="{bottom + 38}" text-anchor="middle">packages</text>')
    for name, points in series.items():
        places = [(across(size), up(value)) for size, value in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        out.append(f'<polyline class="line {name}" points="{line}"/>')
        out += [f'<circle class="dot {name}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places]
    return out


def draw(results, compression):
    series = select(results, compression)
    names = {"other": f"createrepo_c {results['createrepo_c']} --update", "cold": "repoupdate, cold",
             "warm": "repoupdate, warm", "floor": "SHA-256 of the same bytes, one core"}
    sizes = sorted({size for points in series.values() for size, _, _ in points})
    seconds = {name: [(size, wall) for size, wall, _ in points] for name, points in series.items() if points}
    memory = {name: [(size, peak / 2**20) for size, _, peak in points]
              for name, points in series.items() if points and name != "floor"}
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
           f"<title>Adding one package, {compression}: time and peak memory against repository size</title>",
           f"<style>{STYLE}</style>"]
    out += draw_panel(PANELS[0], f"Adding one package ({compression}): wall time", "s", seconds, sizes)
    out += draw_panel(PANELS[1], "Peak memory", "MiB", memory, sizes)
    x = 40
    for name in seconds:
        out.append(f'<line class="line {name}" x1="{x}" x2="{x + 24}" y1="{HEIGHT - 20}" y2="{HEIGHT - 20}"/>')
        out.append(f'<text x="{x + 30}" y="{HEIGHT - 16}">{names[name]}</text>')
        x += 54 + 6.4 * len(names[name])
    return "\n".join(out + ["</svg>", ""])


def replace_table(page, table):
    text = page.read_text()
    marked = re.compile(r"(<!-- begin of the table -->\n).*?(<!-- end of the table -->)", re.S)
    page.write_text(marked.sub(lambda match: match[1] + "\n" + table.strip() + "\n\n" + match[2], text))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=pathlib.Path, help="what repobench --json wrote")
    parser.add_argument("--table", type=pathlib.Path, help="what repobench printed")
    parser.add_argument("--compression", default="gz", choices=("gz", "zstd"))
    parser.add_argument("--docs", type=pathlib.Path, default=pathlib.Path("docs"))
    arguments = parser.parse_args()
    results = json.loads(arguments.results.read_text())
    (arguments.docs / "performance.svg").write_text(draw(results, arguments.compression))
    if arguments.table:
        replace_table(arguments.docs / "performance.md", arguments.table.read_text())


if __name__ == "__main__":
    main()
