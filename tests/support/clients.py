# SPDX-License-Identifier: Apache-2.0
"""The real clients, dnf and zypper, each with caches, configuration and install root of its own."""
import subprocess
import xml.etree.ElementTree as ElementTree

from support.process import checked, sudo

REPO_ID = "under-test"
NOTHING_FOUND = 104  # zypper's exit code of a search without a match

# skip_if_unavailable: Debian's dnf defaults to leaving out a repository that it cannot read, with exit code 0.
DNF_CONF = """\
[main]
cachedir={home}/cache
persistdir={home}/persist
logdir={home}/log
reposdir=/dev/null
varsdir=/dev/null
plugins=0
gpgcheck=0
keepcache=1
metadata_expire=0
skip_if_unavailable=0
retries=1
install_weak_deps=0
[{repo_id}]
name=Repository under test
baseurl={url}
"""


class Dnf:
    """dnf with the repository at `url` as the only one. A context manager: what it installed may be root's. With `key`,
    the URL of a public key, it insists on a good signature of repomd.xml."""

    def __init__(self, home, url, key=None):
        self.home = home / "dnf"
        self.install_root = self.home / "root"
        self.conf = self.home / "dnf.conf"
        self.install_root.mkdir(parents=True)
        signature = f"repo_gpgcheck=1\ngpgkey={key}\n" if key else ""
        self.conf.write_text(DNF_CONF.format(home=self.home, url=url, repo_id=REPO_ID) + signature)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*sudo(), "rm", "-rf", str(self.home)], check=True)

    def _command(self, *arguments):
        return ["dnf", "--quiet", "--assumeyes", f"--config={self.conf}", f"--installroot={self.install_root}",
                "--releasever=9", *arguments]

    def run(self, *arguments):
        return checked(self._command(*arguments))

    def fails(self, *arguments):
        """Runs what has to fail; returns everything that dnf said."""
        done = subprocess.run(self._command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode != 0, f"dnf {' '.join(arguments)} succeeded:\n{done.stdout}"
        return done.stdout

    def package_count(self):
        """What `dnf repolist -v` counts."""
        for line in self.run("repolist", "--verbose").splitlines():
            if line.startswith("Repo-pkgs"):
                return int(line.partition(":")[2].replace(",", ""))
        raise AssertionError("dnf repolist names no number of packages")

    def packages(self):
        """The NEVRAs, sorted, from metadata fetched now."""
        self.run("makecache", "--refresh")  # one cached in this very second counts as fresh
        return sorted(self.run("repoquery", "--queryformat", "%{name}-%{evr}.%{arch}").split())

    def files(self, name):
        return self.run("repoquery", "--list", name).splitlines()

    def changelog(self, name):
        return self.run("repoquery", "--changelogs", name)

    def install(self, *names):
        """Installs into the install root; rpm then checks the packages' digests and every installed file."""
        checked([*sudo(), *self._command("install", *names)])
        downloaded = sorted(self.home.rglob("*.rpm"))
        assert len(downloaded) >= len(names), f"dnf downloaded {downloaded}"
        verdict = checked(["rpmkeys", "--checksig", "--nosignature", *map(str, downloaded)])
        assert verdict.count("digests OK") == len(downloaded), verdict
        checked([*sudo(), "rpm", "--root", str(self.install_root), "--verify", "--nodeps", *names])


class Zypper:
    """zypper with the repository at `url` as the only one, in a root of its own. A context manager. With `key`, a file
    with a public key, it insists on a good signature by it; with `trusts_published` by the one that the repository has."""

    def __init__(self, home, url, key=None, trusts_published=False):
        self.root = home / "zypper"
        self.root.mkdir(parents=True)
        self.checks = ["--gpg-auto-import-keys"] if trusts_published else [] if key else ["--no-gpg-checks"]
        if key:
            checked([*sudo(), "rpm", "--root", str(self.root), "--import", str(key)])
        self.run("addrepo", "--gpgcheck-strict" if key or trusts_published else "--no-gpgcheck", "--refresh", url, REPO_ID)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*sudo(), "rm", "-rf", str(self.root)], check=True)

    def _command(self, *arguments):
        return [*sudo(), "zypper", "--root", str(self.root), "--non-interactive", *self.checks, "--releasever", "15",
                *arguments]

    def run(self, *arguments):
        return checked(self._command(*arguments))

    def fails(self, *arguments):
        """Runs what has to fail; returns everything that zypper said."""
        done = subprocess.run(self._command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode != 0, f"zypper {' '.join(arguments)} succeeded:\n{done.stdout}"
        return done.stdout

    def packages(self):
        """"name-version-release.arch" of every package, sorted, from metadata fetched now; the epoch where not 0."""
        self.run("refresh", "--force")
        search = self._command("--xmlout", "search", "--details", "--type", "package")
        done = subprocess.run(search, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode in (0, NOTHING_FOUND), f"zypper search: {done.returncode}\n{done.stdout}{done.stderr}"
        found = ElementTree.fromstring(done.stdout)
        return sorted(f"{item.get('name')}-{item.get('edition')}.{item.get('arch')}" for item in found.iter("solvable"))

    def download(self, *names):
        """Resolves and fetches the packages, which zypper holds against the checksums in primary."""
        self.run("install", "--download-only", "--no-recommends", *names)
        return sorted(path.name for path in self.root.rglob("*.rpm"))
