# SPDX-License-Identifier: Apache-2.0
"""Metadata of packages that do not exist, in createrepo_c's layout: repositories that are large enough to be cut into
many frames and segments."""
import gzip
import hashlib
import random
import subprocess

NAMESPACES = {
    "primary": ("metadata", 'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'),
    "filelists": ("filelists", 'xmlns="http://linux.duke.edu/metadata/filelists"'),
    "other": ("otherdata", 'xmlns="http://linux.duke.edu/metadata/other"'),
}
SYLLABLES = "lib gtk core net py perl font data dev tools mail web disk log sys x11 qt ruby go java".split()


def fragments(chance, number, files):
    """(href, {kind: fragment}) of one package."""
    name = f"{chance.choice(SYLLABLES)}-{chance.choice(SYLLABLES)}{number}"
    pkgid = hashlib.sha256(name.encode()).hexdigest()
    href = f"pool/{name}-1-1.noarch.rpm"
    version = '<version epoch="0" ver="1" rel="1"/>'
    words = " ".join(chance.choice(SYLLABLES) for _ in range(60))
    start = f'<package pkgid="{pkgid}" name="{name}" arch="noarch">\n  {version}\n'
    paths = (f"/usr/share/{name}/{chance.choice(SYLLABLES)}/{chance.getrandbits(64):x}" for _ in range(files))
    return href, {
        "primary": f'<package type="rpm">\n  <name>{name}</name>\n  <arch>noarch</arch>\n  {version}\n'
                   f'  <checksum type="sha256" pkgid="YES">{pkgid}</checksum>\n  <summary>{name}</summary>\n'
                   f"  <description>{words}</description>\n  <packager/>\n  <url/>\n"
                   f'  <time file="1700000000" build="1700000000"/>\n'
                   f'  <size package="1000" installed="1" archive="1"/>\n  <location href="{href}"/>\n  <format>\n'
                   f"    <rpm:license>MIT</rpm:license>\n    <rpm:vendor/>\n    <rpm:group>None</rpm:group>\n"
                   f"    <rpm:buildhost>host</rpm:buildhost>\n    <rpm:sourcerpm>{name}-1-1.src.rpm</rpm:sourcerpm>\n"
                   f'    <rpm:header-range start="100" end="900"/>\n    <rpm:provides>\n'
                   f'      <rpm:entry name="{name}" flags="EQ" epoch="0" ver="1" rel="1"/>\n    </rpm:provides>\n'
                   f"  </format>\n</package>\n",
        "filelists": start + "".join(f"  <file>{path}</file>\n" for path in paths) + "</package>\n",
        "other": start + f'  <changelog author="A &lt;a@b.c&gt; - 1-1" date="1700000000">- {words}</changelog>\n'
                         "</package>\n",
    }


class Writer:
    """One metadata file, compressed as one stream while it is written."""

    def __init__(self, repodata, kind, packages, level):
        self.repodata, self.kind = repodata, kind
        self.path = repodata / f"{kind}.part"
        self.open_digest, self.open_size = hashlib.sha256(), 0
        self.file = gzip.GzipFile(self.path, "wb", compresslevel=level, mtime=0)
        root, namespace = NAMESPACES[kind]
        self.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {namespace} packages="{packages}">\n')

    def write(self, text):
        data = text.encode()
        self.open_digest.update(data)
        self.open_size += len(data)
        self.file.write(data)

    def finish(self):
        """The <data> element."""
        self.write(f"</{NAMESPACES[self.kind][0]}>")
        self.file.close()
        with open(self.path, "rb") as stored:
            digest = hashlib.file_digest(stored, "sha256").hexdigest()
        size = self.path.stat().st_size
        href = f"repodata/{digest}-{self.kind}.xml.gz"
        self.path.rename(self.repodata.parent / href)
        return (f'<data type="{self.kind}"><checksum type="sha256">{digest}</checksum>'
                f'<open-checksum type="sha256">{self.open_digest.hexdigest()}</open-checksum>'
                f'<location href="{href}"/><timestamp>1700000000</timestamp><size>{size}</size>'
                f"<open-size>{self.open_size}</open-size></data>\n")


def write_repository(directory, packages, files=lambda number: 8, level=6):
    """A repository of that many packages, package `number` with files(number) files, as another tool would write it.
    Returns their hrefs."""
    repodata = directory / "repodata"
    repodata.mkdir(parents=True)
    chance = random.Random(packages)
    writers = {kind: Writer(repodata, kind, packages, level) for kind in NAMESPACES}
    hrefs = []
    for number in range(packages):
        href, texts = fragments(chance, number, files(number))
        hrefs.append(href)
        for kind, text in texts.items():
            writers[kind].write(text)
    data = "".join(writer.finish() for writer in writers.values())
    (repodata / "repomd.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo">'
        f"<revision>1700000000</revision>\n{data}</repomd>\n")
    return hrefs


def reads_as_one_stream(path):
    """What the reference decompressor makes of a stored file; it fails on anything that is not one whole stream."""
    tool = ["zstd", "-dc"] if path.suffix == ".zst" else ["gzip", "-dc"]
    return subprocess.run([*tool, str(path)], stdout=subprocess.PIPE, check=True).stdout
