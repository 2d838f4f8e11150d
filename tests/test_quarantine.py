# SPDX-License-Identifier: Apache-2.0
"""Packages that cannot be listed: the daemon with a queue, what stands in quarantine, and how an operator gets rid of it."""
import json
import shutil

import pytest

from support import aws, metadata
from support.checks import clients_see, nevras, published
from support.program import Exit
from support.queue_stage import NUMBERS
from support.terminal import CONTROL_C, answer

OBJECT = "repodata/.repoupdate/quarantine.json"


@pytest.fixture
def repository(program, tmp_path, packages):
    directory = tmp_path / "repository"
    program.run("init", directory)
    program.run("add", directory, *packages[:2])
    return directory


def quarantined(program, repository):
    return {record["key"]: record for record in program.run("quarantine", "list", repository, "--json").json}


def put_text(repository, name="text.rpm"):
    (repository / name).write_text("this is no package\n")


# ---- the daemon ----------------------------------------------------------------------------------------------

def test_poison_stands_in_quarantine_and_its_neighbours_are_published(stage, packages, tmp_path):
    """One bad package among good ones, a dead-letter queue, and the way back (semantics 9)."""
    dead_url, dead_arn = aws.make_queue(stage.sqs.endpoint, f"dead-{next(NUMBERS)}")
    name, url = stage.queue(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "2"}))
    view, good = stage.view("el9"), packages[:4]
    with stage.daemon([name], [stage.url("el9")], ['visibility = "10s"']) as daemon:
        stage.s3.put_object(Bucket=stage.bucket, Key="el9/text.rpm", Body=b"this is no package\n")
        for path in good:
            stage.put(path, "el9")
        stage.send(url, [stage.event("el9", key) for key in
                         (good[0].name, good[1].name, "text.rpm", good[2].name, good[3].name)])
        daemon.wait_until(lambda: published(view) == [path.name for path in good], 60, "the good packages")
        clients_see(tmp_path / "clients", view, good, install=["p01"])
        daemon.wait_until(lambda: stage.depth(dead_url) == 1 and not stage.depth(url), 90, "the poison to be moved")
        (line,) = daemon.messages("package in quarantine")
        assert (line["location_href"], line["quarantined"]) == ("text.rpm", 1)
        record = quarantined(stage.program, stage.url("el9"))["text.rpm"]
        assert record["kind"] == "corrupt" and record["tries"] >= 2 and record["now"] == "unchanged"
        verified = stage.program.run("verify", stage.url("el9"), "--json").json
        assert verified["sound"] and [found["key"] for found in verified["quarantined"]] == ["text.rpm"]

        stage.put(packages[4], "el9", "text.rpm")  # mended
        stage.send(url, [stage.event("el9", "text.rpm")])
        daemon.wait_until(lambda: "text.rpm" in published(view), 60, "the good text.rpm")
        daemon.wait_for_message("package left quarantine")
        assert not quarantined(stage.program, stage.url("el9"))
    metadata.verify(view)


def test_a_daemon_that_starts_does_not_read_it_again(stage, packages):
    name, _ = stage.queue()
    view = stage.view("el9")
    stage.put(packages[0], "el9")
    stage.s3.put_object(Bucket=stage.bucket, Key="el9/text.rpm", Body=b"this is no package\n")
    config = [name], [stage.url("el9")], ["park_after = 1"]
    with stage.daemon(*config) as daemon:
        daemon.wait_for_message("package in quarantine")
        daemon.wait_until(lambda: published(view) == [packages[0].name], 60, "the good package")
    stage.put(packages[1], "el9")
    with stage.daemon(*config, log_name="second.log") as daemon:
        daemon.wait_until(lambda: len(published(view)) == 2, 60, "the other package")
        assert not daemon.messages("package not listed"), "it was read again"
    assert quarantined(stage.program, stage.url("el9"))["text.rpm"]["tries"] == 1


# ---- one-shot commands, in a directory ------------------------------------------------------------------------

def test_update_tells_of_it_each_time(program, repository):
    put_text(repository)
    program.start("update", repository).expect(Exit.SOME_FAILED, "text.rpm")
    program.start("update", repository).expect(Exit.SOME_FAILED, "text.rpm: in quarantine since")
    again = program.start("update", repository, "--json").json
    assert [record["key"] for record in again["quarantine"]["held"]] == ["text.rpm"] and not again["failures"]
    assert quarantined(program, repository)["text.rpm"]["tries"] == 1


def test_list_says_what_and_why(program, repository, packages):
    assert program.run("quarantine", "list", repository).stdout == f"{repository}: 0 packages in quarantine\n"
    put_text(repository)
    (repository / packages[0].name).write_bytes(b"overwritten")
    program.start("update", repository).expect(Exit.SOME_FAILED)
    said = program.run("quarantine", "list", repository).stdout
    assert "text.rpm\n  since 20" in said and "corrupt: " in said and "2 packages in quarantine" in said
    assert quarantined(program, repository)[packages[0].name]["listed"] is True
    assert metadata.load_repo(repository).hrefs() == [path.name for path in packages[:2]], "it stays listed (I14)"
    assert program.run("quarantine", "list", repository, "text*", "--json").json[0]["size"] == 19


def test_retry_lists_what_is_good_by_now(program, repository, packages):
    for name in ("text.rpm", "other.rpm"):
        put_text(repository, name)
    program.start("update", repository).expect(Exit.SOME_FAILED)
    program.start("quarantine", "retry", repository).expect(Exit.SOME_FAILED, "text.rpm", "other.rpm")
    assert {record["tries"] for record in quarantined(program, repository).values()} == {2}
    shutil.copy(packages[5], repository / "text.rpm")
    (repository / "other.rpm").unlink()
    assert {key: record["now"] for key, record in quarantined(program, repository).items()} == {
        "text.rpm": "changed", "other.rpm": "gone"}
    program.run("quarantine", "retry", repository)
    assert not quarantined(program, repository)
    assert metadata.verify(repository).nevras() == nevras([*packages[:2], packages[5]])
    program.start("quarantine", "retry", repository, "text.rpm").expect(Exit.NOT_FOUND, "text.rpm")


def test_drop_deletes_what_is_bad_and_nothing_else(program, repository, packages):
    for name in ("text.rpm", "mended.rpm", "kept.rpm"):
        put_text(repository, name)
    program.start("update", repository).expect(Exit.SOME_FAILED)
    shutil.copy(packages[5], repository / "mended.rpm")
    program.start("quarantine", "drop", repository).expect(Exit.USAGE, "--all")
    program.start("quarantine", "drop", repository, "nothing*").expect(Exit.NOT_FOUND, "nothing*")
    program.run("quarantine", "drop", repository, "kept.rpm", "--keep-object")
    program.start("quarantine", "drop", repository, "--all").expect(Exit.SOME_FAILED, "mended.rpm", "quarantine retry")
    assert not (repository / "text.rpm").exists()
    assert (repository / "mended.rpm").exists() and (repository / "kept.rpm").exists()
    program.start("update", repository).expect(Exit.SOME_FAILED, "kept.rpm")
    assert list(quarantined(program, repository)) == ["kept.rpm"]
    assert metadata.load_repo(repository).hrefs() == sorted([*(path.name for path in packages[:2]), "mended.rpm"])


def test_drop_of_a_listed_package_takes_it_from_the_metadata_first(program, repository, packages):
    (repository / packages[0].name).write_bytes(b"overwritten")
    program.start("update", repository).expect(Exit.SOME_FAILED)
    program.run("quarantine", "drop", repository, packages[0].name)
    assert not (repository / packages[0].name).exists()
    assert metadata.verify(repository).nevras() == nevras([packages[1]])
    program.run("update", repository)


def test_drop_of_many_wants_yes(program, repository):
    for number in range(11):
        put_text(repository, f"t{number}.rpm")
    program.start("update", repository).expect(Exit.SOME_FAILED)
    program.start("quarantine", "drop", repository, "--all").expect(Exit.USAGE, "--yes")
    answer(program, "quarantine", "drop", repository, "--all", typed=CONTROL_C).expect(Exit.STOPPED, "nothing was removed")
    assert len(list(repository.glob("t*.rpm"))) == 11
    program.run("quarantine", "drop", repository, "--all", "--yes")
    assert not list(repository.glob("t*.rpm")) and not quarantined(program, repository)


def test_remove_takes_what_is_there_and_not_listed(program, repository, packages):
    for name in ("text-1.rpm", "text-2.rpm"):
        put_text(repository, name)
    program.start("update", repository).expect(Exit.SOME_FAILED)
    put_text(repository, "new.rpm")  # nobody has looked at it yet
    program.run("remove", repository, "text-*", packages[0].name, "new.rpm")
    assert sorted(path.name for path in repository.glob("*.rpm")) == [packages[1].name]
    assert not quarantined(program, repository)
    program.start("remove", repository, "text-1.rpm").expect(Exit.NOT_FOUND, "text-1.rpm")
    program.run("update", repository)


def test_it_is_kept_elsewhere_or_not_at_all(program, repository, tmp_path):
    put_text(repository)
    elsewhere = tmp_path / "state" / "quarantine"
    program.environment["REPOUPDATE_DEFAULTS_QUARANTINE"] = str(elsewhere)
    program.start("update", repository).expect(Exit.SOME_FAILED)
    assert not (repository / OBJECT).exists() and len(list(elsewhere.glob("*.json"))) == 1
    assert list(quarantined(program, repository)) == ["text.rpm"]
    program.environment["REPOUPDATE_DEFAULTS_QUARANTINE"] = "off"
    for _ in range(2):
        program.start("update", repository).expect(Exit.SOME_FAILED, "not an RPM")
    program.start("quarantine", "list", repository).expect(Exit.USAGE, "off")
    program.environment["REPOUPDATE_DEFAULTS_QUARANTINE"] = "here"
    program.start("update", repository).expect(Exit.USAGE, "here", "absolute path")
