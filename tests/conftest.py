# SPDX-License-Identifier: Apache-2.0
"""What the black-box suites share: servers, packages, and a directory for each test."""
import os
import shutil
from pathlib import Path

import pytest

from support import local_sqs
from support import packages as package_builder
from support.program import Program, binary
from support.queue_stage import QueueStage
from support.rgw import ACCESS_KEY, SECRET_KEY, Rgw
from support.servers import Moto

NEEDED = ("dnf", "zypper", "rpm", "rpmbuild", "rpmkeys", "createrepo_c", "modifyrepo_c", "faketime", "zstd",
          "xz", "gpg", "gpgconf")

# Names that broke repository tools before: what + ~ ^ mean in URLs, in form encoding, in versions.
ODD_PACKAGES = (  # name, version, epoch
    ("gtk+-c++_lib", "1.0~rc1^git", None),
    ("libstdc++", "12.2.0", 2),
    ("perl-Foo_Bar.Baz", "0.1~beta+2", None),
)
PLAIN_PACKAGES = 50
MANY_PACKAGES = 200


def pytest_configure(config):
    config.addinivalue_line("markers", "case(text): a line of the matrix of stores, what the test shows")


def pytest_sessionstart(session):
    missing = [tool for tool in NEEDED if not shutil.which(tool)]
    if missing:
        pytest.exit(f"not installed: {', '.join(missing)} (scripts/install-deps --test installs them)", 3)
    if not binary().is_file():
        pytest.exit(f"{binary()} does not exist: build it first", 3)


def pytest_sessionfinish(session, exitstatus):
    # A suite that skipped everything proves nothing.
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.fixture(autouse=True)
def case(request, record_property):
    """What the test shows, for the matrix of stores."""
    if marker := request.node.get_closest_marker("case"):
        record_property("case", marker.args[0])


@pytest.fixture
def note(record_property):
    """Called with what is special about this server in this case, for the matrix of stores."""
    return lambda text: record_property("note", text)


@pytest.fixture(scope="session")
def session_directory(tmp_path_factory):
    return tmp_path_factory.mktemp("session")


@pytest.fixture(scope="session")
def package_cache(session_directory):
    """Where packages are built once; CTest names a directory that all suites share."""
    return Path(os.environ.get("REPOUPDATE_TEST_PACKAGES", session_directory / "packages"))


@pytest.fixture(scope="session")
def packages(package_cache):
    """50 small packages, p00 to p49."""
    return package_builder.build_many(package_cache, [f"p{number:02}" for number in range(PLAIN_PACKAGES)])


@pytest.fixture(scope="session")
def many_packages(package_cache):
    """200 small packages, q000 to q199."""
    return package_builder.build_many(package_cache, [f"q{number:03}" for number in range(MANY_PACKAGES)])


@pytest.fixture(scope="session")
def odd_packages(package_cache):
    return [package_builder.build_simple(package_cache, name, version=version, epoch=epoch,
                                         files=[f"/usr/share/{name}/data"])
            for name, version, epoch in ODD_PACKAGES]


@pytest.fixture
def program(tmp_path):
    """The program with nothing but the file system."""
    return Program(tmp_path)


@pytest.fixture
def repository(program, tmp_path):
    """An empty one, in a directory."""
    directory = tmp_path / "repository"
    program.run("init", directory)
    return directory


@pytest.fixture(scope="session")
def moto(session_directory):
    server = Moto(session_directory)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rgw():
    server = Rgw()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqs(session_directory):
    """A queue for load; its S3 is `rgw`, whose keys it takes."""
    if not local_sqs.installed():
        pytest.exit(local_sqs.MISSING, 3)
    server = local_sqs.LocalSqs(session_directory, ACCESS_KEY, SECRET_KEY)
    yield server
    server.stop()


@pytest.fixture
def stage(rgw, sqs, tmp_path):
    """Buckets at Ceph RGW and queues; a suite with another stage has a fixture of this name."""
    stage = QueueStage(rgw, sqs, tmp_path)
    yield stage
    stage.close()
