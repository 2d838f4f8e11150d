# SPDX-License-Identifier: Apache-2.0
"""What a repository's users see: the metadata held against themselves, dnf and zypper."""
import urllib.error

from support import metadata
from support.clients import Dnf, Zypper
from support.process import checked

NEVRA_FORMAT = "%{NAME}-%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}.%{ARCH}\n"


def nevras(paths):
    """What the headers of these packages say, sorted; spelled as dnf does."""
    if not paths:
        return []
    query = ["rpm", "--query", "--package", "--nosignature", "--queryformat", NEVRA_FORMAT]
    return sorted(checked([*query, *map(str, paths)]).split())


def published(base):
    """The hrefs that the repository at `base` (directory or HTTP address) lists now; nothing when there is none yet."""
    try:
        return metadata.load_repo(base).hrefs()
    except (FileNotFoundError, urllib.error.HTTPError):
        # Not there yet, or superseded between two reads.
        return None


def clients_see(home, url, paths, install=()):
    """Asserts that the repository at `url` is sound and that it, dnf and zypper list exactly the packages in `paths`;
    installs some by name. Returns the metadata."""
    wanted = nevras(paths)
    repo = metadata.verify(url)
    assert repo.nevras() == wanted
    with Dnf(home, url) as dnf:
        assert dnf.packages() == wanted
        assert dnf.package_count() == len(wanted)
        if install:
            dnf.install(*install)
    with Zypper(home, url) as zypper:
        assert zypper.packages() == wanted
        if install:
            assert len(zypper.download(*install)) == len(install)
    return repo
