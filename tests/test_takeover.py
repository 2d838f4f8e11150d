# SPDX-License-Identifier: Apache-2.0
"""Repositories that other programs wrote are edited as they are: every fragment and record that the edit does not
concern keeps its bytes, and what would become stale is dropped with a warning."""
import gzip
import hashlib
import random
import re
import shutil
import subprocess

import pytest

from support import metadata
from support.checks import clients_see, nevras
from support.packages import build_simple
from support.process import checked
from support.program import Exit
from support.servers import serve_directory

COMPS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps><group><id>all</id><name>All</name><description>Everything</description><default>true</default>
<uservisible>true</uservisible><packagelist><packagereq type="mandatory">p01</packagereq></packagelist></group></comps>
"""
UPDATEINFO = """<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="a@example.org" status="final" type="security" version="1"><id>EX-2026:1</id><title>p01</title>
<issued date="2026-01-01 00:00:00"/><description>A hole.</description><pkglist><collection short="x"><name>x</name>
<package name="p01" version="1.0" release="1" epoch="0" arch="noarch" src="p01.src.rpm">
<filename>p01-1.0-1.noarch.rpm</filename></package></collection></pkglist></update></updates>
"""
MODULES = """---
document: modulemd
version: 2
data:
  name: example
  stream: "1"
  version: 1
  context: deadbeef
  arch: x86_64
  summary: Example
  description: Example.
  license: {module: [MIT]}
  artifacts: {rpms: [elsewhere-0:1.0-1.noarch]}
...
"""
PRODUCTID = "-----BEGIN CERTIFICATE-----\nnobody but its owner knows what this is\n-----END CERTIFICATE-----\n"
DATABASES = {f"{kind}_db" for kind in metadata.KINDS}


def put_packages(directory, packages):
    """In the root and in a folder."""
    (directory / "Packages").mkdir(parents=True)
    for number, path in enumerate(packages):
        shutil.copy(path, directory / ("Packages" if number % 2 else "."))


def createrepo(directory, *options):
    checked(["createrepo_c", "--quiet", "--workers", "1", *options, str(directory)])


def recompress_zstd(directory):
    """The same repository with .zst metadata, which createrepo_c of Debian 12 cannot write."""
    repodata = directory / "repodata"
    xml = (repodata / "repomd.xml").read_text()
    for record in metadata.load_repo(directory).repomd.values():
        stored = subprocess.run(["zstd", "-qc"], input=gzip.decompress((directory / record.href).read_bytes()),
                                stdout=subprocess.PIPE, check=True).stdout
        digest = hashlib.sha256(stored).hexdigest()
        (directory / record.href).unlink()
        (repodata / f"{digest}-{record.type}.xml.zst").write_bytes(stored)
        xml = xml.replace(record.href, f"repodata/{digest}-{record.type}.xml.zst").replace(record.checksum, digest)
        xml = xml.replace(f"<size>{record.size}</size>", f"<size>{len(stored)}</size>")
    (repodata / "repomd.xml").write_text(xml)


def by_pkgid(repo, kind):
    """Fragments, whatever their order: filelists and other name the pkgid, primary is in the order of `packages`."""
    if kind == "primary":
        return repo.fragments_by_pkgid(kind)
    return {re.search(rb'pkgid="([0-9a-f]+)"', fragment)[1].decode(): fragment for fragment in repo.fragments[kind]}


def assert_untouched(before, after, removed=()):
    """The fragments of every package that stayed are the same bytes (I6), and so are records of other kinds (I9)."""
    gone = {package["pkgid"] for package in before.packages if package["name"] in removed}
    for kind in metadata.KINDS:
        old, new = by_pkgid(before, kind), by_pkgid(after, kind)
        assert gone.isdisjoint(new)
        for pkgid in old.keys() - gone:
            assert new[pkgid] == old[pkgid], f"{kind}: the fragment of {pkgid} changed"
    for name in before.repomd.keys() - set(metadata.KINDS) - DATABASES:
        assert after.repomd[name] == before.repomd[name]
        assert after.stored[name] == before.stored[name]


@pytest.fixture
def edit(program, packages, odd_packages):
    """edit(repository) adds one package, removes p02 and puts another package into p03's file, with three commands;
    returns the metadata before and after, and the packages that are listed then."""
    def run(repository):
        before = metadata.load_repo(repository)
        program.run("add", repository, packages[10])
        program.run("remove", repository, "p02-1.0-1.noarch")
        shutil.copy(odd_packages[0], next(repository.rglob("p03-*.rpm")))
        program.run("update", repository)
        after = metadata.verify(repository)
        assert_untouched(before, after, removed=("p02", "p03"))
        listed = [*packages[:2], *packages[4:6], packages[10], odd_packages[0]]
        assert after.nevras() == nevras(listed)
        return before, after, listed

    return run


@pytest.mark.parametrize("compression", ["gz", "xz", "bz2", "zst"])
def test_createrepo_metadata_keep_bytes_and_compression(edit, packages, tmp_path, compression):
    repository = tmp_path / "repository"
    put_packages(repository, packages[:6])
    createrepo(repository, "--no-database", "--general-compress-type", compression if compression != "zst" else "gz")
    if compression == "zst":
        recompress_zstd(repository)
    _, after, listed = edit(repository)
    # xz and bz2 are read; what is written then is gz, which every client reads.
    assert {after.repomd[kind].href.rpartition(".")[2] for kind in metadata.KINDS} == {
        compression if compression in ("gz", "zst") else "gz"}
    with serve_directory(repository) as server:
        clients_see(tmp_path / "clients", server.url, listed)


def test_records_of_other_kinds_survive_and_databases_go_with_a_warning(program, packages, tmp_path):
    repository, source = tmp_path / "repository", tmp_path / "source"
    put_packages(repository, packages[:6])
    source.mkdir()
    for name, text in (("comps.xml", COMPS), ("updateinfo.xml", UPDATEINFO), ("modules.yaml", MODULES),
                       ("productid", PRODUCTID)):
        (source / name).write_text(text)
    createrepo(repository, "--database", "--groupfile", str(source / "comps.xml"), "--distro", "cpe:/o:ex:9,Example 9",
               "--content", "binary-x86_64", "--repo", "tag-of-the-repository", "--revision", "1600000000")
    for name, kind in (("updateinfo.xml", "updateinfo"), ("modules.yaml", "modules"), ("productid", "productid")):
        checked(["modifyrepo_c", "--mdtype", kind, str(source / name), str(repository / "repodata")])
    before = metadata.load_repo(repository)
    assert DATABASES < before.repomd.keys()
    assert {"group", "group_gz", "updateinfo", "modules", "productid"} < before.repomd.keys()

    done = program.run("add", repository, packages[10])
    after = metadata.verify(repository)
    assert_untouched(before, after)
    assert DATABASES.isdisjoint(after.repomd)
    assert "primary_db" in done.stderr, f"a record was dropped in silence: {done}"
    for tag in (b"cpe:/o:ex:9", b"Example 9", b"binary-x86_64", b"tag-of-the-repository"):
        assert tag in after.repomd_xml
    assert int(after.revision) > 1600000000
    # The second edit finds none to drop, and says nothing.
    assert "primary_db" not in program.run("add", repository, packages[11]).stderr
    with serve_directory(repository) as server:
        clients_see(tmp_path / "clients", server.url, [*packages[:6], *packages[10:12]])


@pytest.mark.parametrize("options", [("--checksum", "sha512"), ("--checksum", "sha"), ("--simple-md-filenames",),
                                     ("--changelog-limit", "3")], ids=" ".join)
def test_options_of_createrepo_are_taken_over(edit, packages, tmp_path, options):
    repository = tmp_path / "repository"
    put_packages(repository, packages[:6])
    createrepo(repository, "--no-database", *options)
    before, after, _ = edit(repository)
    for kind in metadata.KINDS:
        assert after.repomd[kind].checksum_type == before.repomd[kind].checksum_type


def test_entries_with_a_base_address_keep_it(program, packages, tmp_path):
    repository = tmp_path / "repository"
    put_packages(repository, packages[:6])
    createrepo(repository, "--no-database", "--baseurl", "http://example.org/x/")
    before = metadata.load_repo(repository)
    assert b'xml:base="http://example.org/x/"' in before.opened["primary"]
    program.run("add", repository, packages[10])
    assert_untouched(before, metadata.verify(repository))
    program.run("remove", repository, "p02-1.0-1.noarch")
    after = metadata.verify(repository)
    assert_untouched(before, after, removed=["p02"])
    assert after.nevras() == nevras([*packages[:2], *packages[3:6], packages[10]])
    # The same bytes under two entries would make createrepo_c drop both.
    program.run("update", repository)
    pkgids = [package["pkgid"] for package in metadata.verify(repository).packages]
    assert len(pkgids) == len(set(pkgids))


# ---- repositories by smaller tools ---------------------------------------------------------------------------

REPOMD = """<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
<revision>{revision}</revision>
{records}</repomd>
"""
RECORD = """<data type="{kind}"><checksum type="{name}">{checksum}</checksum>{open_checksum}\
<location href="repodata/{kind}.xml.gz"/><timestamp>1500000000</timestamp></data>
"""


def rewrite_by_hand(directory, checksum="sha", digest="sha1", open_checksums=True, shuffle=True):
    """Fixed file names, an old checksum type, no sizes, filelists and other in an order of their own."""
    repo = metadata.load_repo(directory)
    shutil.rmtree(directory / "repodata")
    (directory / "repodata").mkdir()
    records = ""
    for number, kind in enumerate(metadata.KINDS):
        xml = repo.opened[kind]
        if shuffle and number:
            mixed = list(repo.fragments[kind])
            random.Random(number).shuffle(mixed)
            start, end = xml.index(repo.fragments[kind][0]), xml.rindex(b"</package>\n") + len(b"</package>\n")
            xml = xml[:start] + b"".join(mixed) + xml[end:]
        stored = gzip.compress(xml, mtime=0)
        (directory / f"repodata/{kind}.xml.gz").write_bytes(stored)
        opened = f'<open-checksum type="{checksum}">{hashlib.new(digest, xml).hexdigest()}</open-checksum>'
        records += RECORD.format(kind=kind, name=checksum, checksum=hashlib.new(digest, stored).hexdigest(),
                                 open_checksum=opened if open_checksums else "")
    (directory / "repodata/repomd.xml").write_text(REPOMD.format(revision=1500000000, records=records))


@pytest.mark.parametrize("style", [{}, {"checksum": "sha256", "digest": "sha256", "open_checksums": False}],
                         ids=["sha1-shuffled", "no-open-checksums"])
def test_repository_with_fixed_names_and_old_checksums(edit, packages, tmp_path, style):
    repository = tmp_path / "repository"
    put_packages(repository, packages[:6])
    createrepo(repository, "--no-database")
    rewrite_by_hand(repository, **style)
    _, _, listed = edit(repository)
    with serve_directory(repository) as server:
        clients_see(tmp_path / "clients", server.url, listed, install=["p10"])


def test_old_pkgids_of_another_checksum_type_are_kept(program, packages, tmp_path):
    """pkgid is whatever the repository says it is, for the packages that were there."""
    repository = tmp_path / "repository"
    put_packages(repository, packages[:4])
    createrepo(repository, "--no-database", "--checksum", "sha")
    before = metadata.load_repo(repository)
    assert {len(package["pkgid"]) for package in before.packages} == {40}
    program.run("add", repository, packages[10])
    assert_untouched(before, metadata.load_repo(repository))


def test_first_edit_of_a_foreign_repository_changes_only_what_was_asked(program, packages, package_cache, tmp_path):
    """A clock or a scheme of our own must not touch the others: an `update` with nothing to do writes nothing."""
    repository = tmp_path / "repository"
    put_packages(repository, [*packages[:6], build_simple(package_cache, "epochal", epoch=3)])
    createrepo(repository, "--database")
    before = {path: path.read_bytes() for path in (repository / "repodata").iterdir()}
    program.run("update", repository)
    assert {path: path.read_bytes() for path in (repository / "repodata").iterdir()} == before


def test_wrong_checksum_in_a_foreign_repository_stops_everything(program, packages, tmp_path):
    repository = tmp_path / "repository"
    put_packages(repository, packages[:4])
    createrepo(repository, "--no-database", "--simple-md-filenames")
    repomd = repository / "repodata/repomd.xml"
    text = repomd.read_text()
    wrong = re.sub(r'(<data type="other">\s*<checksum type="sha256">)[0-9a-f]{4}', r"\g<1>0000", text)
    assert wrong != text
    repomd.write_text(wrong)
    program.start("add", repository, packages[10]).expect(Exit.CORRUPT, "other")
    assert repomd.read_text() == wrong
