#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the sources against the rooms that CMakeLists.txt declares: who may include whom, which room may
include which library, one first line, and a budget of lines. Usage: rooms_check.py SOURCE_ROOT"""
import pathlib
import re
import sys

# Headers of third parties and the one room that may include them (docs/design.md).
LIBRARIES = {
    "base": ("spdlog/", "openssl/", "gperftools/"),
    "io": ("curl/", "nlohmann/", "pugixml", "sys/inotify", "sqlite3", "microhttpd", "gpgme"),
    "rpm": ("rpm/", "createrepo_c/", "glib", "libxml/"),
    "repodata": ("zlib", "zstd", "lzma", "bzlib", "expat", "libdeflate"),
    "app": ("CLI/", "toml++/"),
}
MAX_LINES = {".cpp": 700, ".hpp": 250}


def declared_rooms(root):
    text = (root / "CMakeLists.txt").read_text()
    rooms = {}
    for name, rest in re.findall(r"^room\((\w+)([^)]*)\)", text, re.M):
        uses = re.search(r"USES ([\w ]+?)(?: THIRD_PARTY| TEST_ONLY|$)", rest.strip() or " ")
        rooms[name] = set(uses.group(1).split()) if uses else set()
    return rooms


def check_file(path, room, uses, problems):
    lines = path.read_text().splitlines()
    is_test = path.name.endswith("_test.cpp") or path.name.startswith("sample_")
    if not lines or lines[0] != "// SPDX-License-Identifier: Apache-2.0":
        problems.append(f"{path}:1: the first line is not the licence line")
    if len(lines) > MAX_LINES[path.suffix] and not is_test:
        problems.append(f"{path}: {len(lines)} lines, at most {MAX_LINES[path.suffix]}")
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not found:
            continue
        quote, target = found.groups()
        if quote == '"':
            other = target.split("/")[0]
            allowed = uses | {room} | ({"testkit"} if is_test else set())
            if other not in allowed:
                problems.append(f"{path}:{number}: room {room} may not include {target}")
            continue
        for owner, prefixes in LIBRARIES.items():
            if owner != room and target.startswith(prefixes):
                problems.append(f"{path}:{number}: {target} belongs to room {owner}")


def main():
    root = pathlib.Path(sys.argv[1])
    rooms = declared_rooms(root)
    problems, files = [], 0
    for path in sorted((root / "src").rglob("*.[ch]pp")):
        room = path.relative_to(root / "src").parts[0]
        if room not in rooms:
            problems.append(f"{path}: no room of that name is declared")
            continue
        check_file(path, room, rooms[room], problems)
        files += 1
    for problem in problems:
        print(problem)
    print(f"{files} files in {len(rooms)} rooms, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
