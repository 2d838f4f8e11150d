# SPDX-License-Identifier: Apache-2.0
"""Reads a repository's metadata as a client does, from a directory or over HTTP, and holds it against itself.

Standard library only; zstd through the `zstd` program. Fragments are cut out of the XML as text, so that tests
can compare bytes and not what a parser makes of them.
"""
import bz2
import gzip
import hashlib
import lzma
import re
import subprocess
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("primary", "filelists", "other")

REPO = "{http://linux.duke.edu/metadata/repo}"
COMMON = "{http://linux.duke.edu/metadata/common}"
RPM = "{http://linux.duke.edu/metadata/rpm}"

_FRAGMENT = re.compile(rb"<package[ >].*?</package>\n?", re.DOTALL)
_PKGID = re.compile(rb'<package[^>]* pkgid="([0-9a-f]+)"')
_COUNT = re.compile(rb'<(?:metadata|filelists|otherdata)[^>]* packages="(\d+)"')


@dataclass
class Record:
    """One <data> of repomd.xml; what it does not state is None."""

    type: str
    href: str
    checksum_type: str | None = None
    checksum: str | None = None
    open_checksum_type: str | None = None
    open_checksum: str | None = None
    size: int | None = None
    open_size: int | None = None
    timestamp: int | None = None


@dataclass
class Repo:
    base: Path | str
    repomd_xml: bytes
    revision: str | None
    repomd: dict[str, Record]
    stored: dict[str, bytes] = field(default_factory=dict)  # record type -> the file as it lies there
    opened: dict[str, bytes] = field(default_factory=dict)  # record type -> the same, decompressed
    fragments: dict[str, list[bytes]] = field(default_factory=dict)  # kind -> one for each package, in order
    packages: list[dict[str, str]] = field(default_factory=list)  # name epoch ver rel arch href pkgid, in order

    def hrefs(self):
        return sorted(package["href"] for package in self.packages)

    def nevras(self):
        """As dnf prints them: name-[epoch:]version-release.arch."""
        return sorted(nevra(package) for package in self.packages)

    def fragments_by_pkgid(self, kind):
        pkgids = [package["pkgid"] for package in self.packages]
        return dict(zip(pkgids, self.fragments[kind], strict=True))


def nevra(package):
    epoch = "" if package["epoch"] == "0" else package["epoch"] + ":"
    return f"{package['name']}-{epoch}{package['ver']}-{package['rel']}.{package['arch']}"


def read(base, href):
    """The bytes of one file below `base`, a directory or an HTTP address."""
    if isinstance(base, Path) or "://" not in str(base):
        return (Path(base) / href).read_bytes()
    with urllib.request.urlopen(str(base).rstrip("/") + "/" + urllib.parse.quote(href), timeout=30) as answer:
        return answer.read()


def decompress(data, name):
    if name.endswith(".gz"):
        return gzip.decompress(data)
    if name.endswith(".xz"):
        return lzma.decompress(data)
    if name.endswith(".bz2"):
        return bz2.decompress(data)
    if name.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


def split_fragments(open_xml):
    return _FRAGMENT.findall(open_xml)


def _number(element, name):
    text = element.findtext(REPO + name)
    return None if text is None else int(text)


def _checksum(element, name):
    found = element.find(REPO + name)
    return (None, None) if found is None else (found.get("type"), (found.text or "").strip())


def parse_repomd(xml):
    """revision and a dict of type -> Record."""
    root = ElementTree.fromstring(xml)
    records = {}
    for data in root.iter(REPO + "data"):
        record = Record(data.get("type"), data.find(REPO + "location").get("href"))
        record.checksum_type, record.checksum = _checksum(data, "checksum")
        record.open_checksum_type, record.open_checksum = _checksum(data, "open-checksum")
        record.size, record.open_size = _number(data, "size"), _number(data, "open-size")
        record.timestamp = _number(data, "timestamp")
        assert record.type not in records, f"repomd.xml has two records of type {record.type}"
        records[record.type] = record
    return root.findtext(REPO + "revision"), records


def parse_packages(primary_xml):
    packages = []
    for element in ElementTree.fromstring(primary_xml).iter(COMMON + "package"):
        version = element.find(COMMON + "version")
        packages.append({
            "name": element.findtext(COMMON + "name"),
            "epoch": version.get("epoch"),
            "ver": version.get("ver"),
            "rel": version.get("rel"),
            "arch": element.findtext(COMMON + "arch"),
            "href": element.find(COMMON + "location").get("href"),
            "pkgid": element.findtext(COMMON + "checksum"),
        })
    return packages


def load_repo(base):
    """The repository at `base`. Every file that repomd.xml names is read and decompressed."""
    repomd_xml = read(base, "repodata/repomd.xml")
    revision, records = parse_repomd(repomd_xml)
    repo = Repo(base, repomd_xml, revision, records)
    for record in records.values():
        repo.stored[record.type] = read(base, record.href)
        repo.opened[record.type] = decompress(repo.stored[record.type], record.href)
    for kind in KINDS:
        assert kind in records, f"repomd.xml names no {kind}"
        repo.fragments[kind] = split_fragments(repo.opened[kind])
    repo.packages = parse_packages(repo.opened["primary"])
    return repo


def _digest(kind, data):
    return hashlib.new({"sha": "sha1"}.get(kind, kind), data).hexdigest()


def _verify_record(repo, record):
    stored, opened = repo.stored[record.type], repo.opened[record.type]
    for what, wanted, found in (
        ("checksum", record.checksum, _digest(record.checksum_type, stored)),
        ("size", record.size, len(stored)),
        ("open-size", record.open_size, len(opened)),
    ):
        assert wanted in (None, found), f"{record.href}: {what} is {found}, repomd.xml says {wanted}"
    if record.open_checksum is not None:
        found = _digest(record.open_checksum_type, opened)
        assert record.open_checksum == found, \
            f"{record.href}: open-checksum is {found}, repomd.xml says {record.open_checksum}"
    name = Path(record.href).name
    if re.match(r"[0-9a-f]{32,}-", name):
        assert name.startswith(record.checksum + "-"), f"{record.href} is not named after {record.checksum}"


def verify(base):
    """Loads the repository and asserts that its metadata agree with themselves (I7, I8); returns it."""
    repo = load_repo(base)
    for record in repo.repomd.values():
        _verify_record(repo, record)
    pkgids = [package["pkgid"] for package in repo.packages]
    for kind in KINDS:
        ElementTree.fromstring(repo.opened[kind])
        count = int(_COUNT.search(repo.opened[kind]).group(1))
        assert count == len(pkgids), f"{kind} says packages={count}, primary lists {len(pkgids)}"
        assert len(repo.fragments[kind]) == count, f"{kind} has {len(repo.fragments[kind])} of {count} packages"
    for kind in ("filelists", "other"):
        listed = [_PKGID.match(fragment).group(1).decode() for fragment in repo.fragments[kind]]
        assert listed == pkgids, f"{kind} does not list the pkgids of primary in the same order"
    assert len(set(repo.hrefs())) == len(pkgids), "an href is listed twice"
    return repo


def verify_packages(repo, directory):
    """Asserts that every package listed is in `directory` with the size and SHA-256 that primary states."""
    for package, fragment in zip(repo.packages, repo.fragments["primary"], strict=True):
        data = (Path(directory) / package["href"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == package["pkgid"], f"{package['href']} has another pkgid"
        assert f'<size package="{len(data)}"'.encode() in fragment, f"{package['href']} has another size"
