# SPDX-License-Identifier: Apache-2.0
"""Makes the matrix of S3 servers from the results of tests/test_stores.py, prints it, and writes it into a page.

    python stores_matrix.py RESULTS PAGE

RESULTS holds one stores.SERVER.xml for each server that was run (pytest's JUnit files), PAGE has the two markers below.
A server without a file, or whose tests were skipped because it is not installed, is a column of "skipped": nothing is
taken from an earlier run."""
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from support.stores import STORES

BEGIN, END = "<!-- matrix: begin (make check-servers writes this) -->", "<!-- matrix: end -->"
# From best to worst: a case is what its worst test says.
OK, DIFFERS, REFUSED, SKIPPED, FAILED = RANKS = ("ok", "differs", "refused", "skipped", "FAILED")


def outcome(test, has_notes):
    """What a cell says, and why where pytest knows."""
    if test.find("failure") is not None or test.find("error") is not None:
        return FAILED, None
    skipped = test.find("skipped")
    if skipped is None:
        return (DIFFERS if has_notes else OK), None
    message = skipped.get("message", "")
    if message.startswith(f"{REFUSED}: "):
        return REFUSED, message.removeprefix(f"{REFUSED}: ")
    return SKIPPED, message


class Column:
    """The results of one server: cells by case, in the order of the tests, and the notes on each."""

    def __init__(self, path):
        self.cells, self.notes, self.reasons = {}, {}, []
        tests = ElementTree.parse(path).iter("testcase") if path.is_file() else ()
        for test in tests:
            self._add(test)

    def _add(self, test):
        properties = [(item.get("name"), item.get("value")) for item in test.iter("property")]
        name = next((value for key, value in properties if key == "case"), test.get("name"))
        notes = [value for key, value in properties if key == "note"]
        cell, reason = outcome(test, bool(notes))
        self.cells[name] = max(self.cells.get(name, OK), cell, key=RANKS.index)
        if cell == REFUSED:
            notes.append(reason)
        elif reason and reason not in self.reasons:
            self.reasons.append(reason)
        for note in notes:
            cases = self.notes.setdefault(note, [])
            if name not in cases:
                cases.append(name)


def matrix(columns):
    """The table, then the notes that its numbers stand for."""
    cases = list(dict.fromkeys(name for column in columns.values() for name in column.cells))
    numbers = {}

    def cell(column, name):
        text = column.cells.get(name, SKIPPED)
        marks = [numbers.setdefault(note, len(numbers) + 1) for note, where in column.notes.items() if name in where]
        return text + (f" ({', '.join(map(str, marks))})" if marks else "")

    rows = [["", *(STORES[server].title for server in columns)], ["---"] * (len(columns) + 1)]
    rows += [[name, *(cell(column, name) for column in columns.values())] for name in cases]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    if numbers:
        lines += [""] + [f"{number}. {note}" for note, number in numbers.items()]
    return lines


def write_into(page, lines):
    text = page.read_text()
    assert text.count(BEGIN) == text.count(END) == 1, f"{page} needs both markers once"
    before, rest = text.split(BEGIN)
    page.write_text("\n".join([before + BEGIN, "", *lines, "", END + rest.split(END)[1]]))


def main():
    results, page = Path(sys.argv[1]), Path(sys.argv[2])
    columns = {server: Column(results / f"stores.{server}.xml") for server in STORES}
    lines = matrix(columns)
    print("\n".join(lines))
    for server, column in columns.items():
        for reason in column.reasons or ([] if column.cells else ["it was not run"]):
            print(f"skipped: {STORES[server].title}: {reason}")
    write_into(page, lines)


if __name__ == "__main__":
    main()
