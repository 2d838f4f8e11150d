# SPDX-License-Identifier: Apache-2.0
"""The whole event path: objects are put and deleted, S3's notifications arrive in SQS, the daemon publishes, and
clients read the bucket over HTTP. Every request has to be signed right."""
import json
import os
import signal

import pytest

from support import aws, metadata
from support.checks import clients_see, nevras, published
from support.process import free_port, wait_until
from support.program import Exit, Program, processes_of
from support.servers import serve_bucket
from support.stage import Stage

CREATED, REMOVED = "s3:ObjectCreated:*", "s3:ObjectRemoved:*"
PREFIX = "el9/x86_64"


class QueueStage(Stage):
    """A bucket, a queue for what is created and one for what is removed, and the program as a user of them."""

    def __init__(self, moto, home, events=True):
        super().__init__(moto, home, PREFIX + "/")
        self.sqs = self.endpoint.client("sqs")
        self.adds, self.removes = f"adds-{self.bucket}", f"removes-{self.bucket}"
        adds, removes = (aws.make_queue(self.endpoint, name) for name in (self.adds, self.removes))
        self.queue_urls = {self.adds: adds[0], self.removes: removes[0]}
        if events:
            aws.notify_queues(self.endpoint, self.bucket, {adds[1]: [CREATED], removes[1]: [REMOVED]})

    def send(self, body):
        text = body if isinstance(body, str) else json.dumps(body)
        self.sqs.send_message(QueueUrl=self.queue_urls[self.adds], MessageBody=text)

    def configuration(self, queues, repositories=None, visibility="60s"):
        lines = ["[aws]", f'region = "{self.endpoint.region}"', f'endpoint = "{self.endpoint.url}"',
                 "[daemon]", f'visibility = "{visibility}"']
        for name in queues:
            lines += ["[[queue]]", f'name = "{name}"']
        for url in repositories or [self.url]:
            lines += ["[[repository]]", f'url = "{url}"', "create = true", 'quiet = "300ms"']
        path = self.home / f"{'-'.join(queues).replace('/', '_')}.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def daemon(self, *queues, visibility="60s", **options):
        config = self.configuration(queues or (self.adds, self.removes), visibility=visibility)
        return self.program.daemon("--config", config, **options)

    def wait_for(self, daemon, hrefs):
        wanted = sorted(hrefs)
        daemon.wait_until(lambda: published(self.view.url) == wanted, 90, f"the metadata to list {wanted}")

    def wait_acknowledged(self, daemon):
        """Until no message is waiting or hidden (invariant I4)."""
        daemon.wait_until(lambda: not any(aws.queue_depth(self.endpoint, url) for url in self.queue_urls.values()), 60,
                          "every message to be acknowledged")


@pytest.fixture
def stage(moto, tmp_path):
    stage = QueueStage(moto, tmp_path)
    with stage.view:
        yield stage


@pytest.fixture
def silent_stage(moto, tmp_path):
    """The bucket notifies nobody: the test writes the messages."""
    stage = QueueStage(moto, tmp_path, events=False)
    with stage.view:
        yield stage


def spread(chosen):
    """Paths and the hrefs to put them at: some in folders, some under names of their own."""
    folders = ("", "Packages/g/", "with space/ü+1/")
    hrefs = {path: folders[number % 3] + path.name for number, path in enumerate(chosen)}
    hrefs[chosen[0]] = "gtk+-c++_lib-1.0~rc1^git.rpm"
    return hrefs


def test_events_of_two_queues_reach_dnf_and_zypper(stage, packages, odd_packages, tmp_path):
    chosen = packages[:47] + odd_packages
    hrefs = spread(chosen)
    with stage.daemon() as daemon:
        for path in chosen:
            stage.put(path, hrefs[path])
        stage.wait_for(daemon, hrefs.values())
        clients_see(tmp_path / "before", stage.view.url, chosen)

        deleted, kept = chosen[:10], chosen[10:]
        for path in deleted:
            stage.delete(hrefs[path])
        stage.wait_for(daemon, [hrefs[path] for path in kept])
        clients_see(tmp_path / "after", stage.view.url, kept, install=["p10", "p30", "gtk+-c++_lib", "libstdc++"])

        # The daemon's own writes raise events as well: none of them may start another round.
        stage.wait_acknowledged(daemon)
        settled = stage.repomd()
        stage.wait_acknowledged(daemon)
        assert stage.repomd() == settled
        assert not [line for line in daemon.lines() if line["level"] in ("warning", "error")]


def test_published_objects_say_how_long_they_may_be_cached(stage, packages):
    with stage.daemon() as daemon:
        stage.put(packages[0])
        stage.wait_for(daemon, [packages[0].name])
    keys = aws.keys(stage.endpoint, stage.bucket, f"{PREFIX}/repodata/")
    assert len(keys) >= 4
    for key in keys:
        head = stage.s3.head_object(Bucket=stage.bucket, Key=key)
        assert "ContentEncoding" not in head
        if key.endswith("/repomd.xml"):
            assert head["CacheControl"] == "no-cache"
        else:
            assert head["CacheControl"] == "public, max-age=31536000, immutable"


def test_two_daemons_one_for_each_queue_lose_nothing(stage, packages):
    with stage.daemon(stage.adds, log_name="adds.log") as adds, \
         stage.daemon(stage.removes, log_name="removes.log") as removes:
        for path in packages[:20]:
            stage.put(path)
        stage.wait_for(adds, [path.name for path in packages[:20]])
        # Both have something to publish at the same time, again and again.
        for leaves, comes in zip(packages[:20], packages[20:40]):
            stage.put(comes)
            stage.delete(leaves.name)
        wanted = [path.name for path in packages[20:40]]
        stage.wait_for(adds, wanted)
        stage.wait_acknowledged(removes)
        stage.wait_acknowledged(adds)
        assert published(stage.view.url) == wanted
    metadata.verify(stage.view.url)


def shaped(stage):
    """Messages as each service shapes them, and the href that each names."""
    plus = "gtk+-c++_lib-1.0~rc1^git.rpm"
    encoded = f"{PREFIX.replace('/', '%2F')}%2Fgtk%2B-c%2B%2B_lib-1.0~rc1%5Egit.rpm"
    return {
        "S3, form-encoded": (plus, aws.s3_event(stage.bucket, encoded)),
        "Ceph, not encoded": ("ceph+1 x.rpm", aws.s3_event(stage.bucket, f"{PREFIX}/ceph+1 x.rpm")),
        "SNS envelope": ("sns +.rpm", aws.sns_envelope(aws.s3_event(stage.bucket, f"{PREFIX}/sns+%2B.rpm"))),
        "EventBridge": ("bridge+ 1.rpm", aws.eventbridge_event(stage.bucket, f"{PREFIX}/bridge+ 1.rpm")),
        "copy": ("copied.rpm", aws.s3_event(stage.bucket, f"{PREFIX}/copied.rpm", "ObjectCreated:Copy")),
        # The object decides, not what the event is called (semantics 4).
        "late removal": ("here.rpm", aws.s3_event(stage.bucket, f"{PREFIX}/here.rpm", "ObjectRemoved:Delete")),
    }


def test_every_shape_of_message_is_understood(silent_stage, packages):
    stage = silent_stage
    with stage.daemon() as daemon:
        hrefs = []
        for path, (href, body) in zip(packages, shaped(stage).values()):
            stage.put(path, href)
            stage.send(body)
            hrefs.append(href)
            stage.wait_for(daemon, hrefs)
        stage.wait_acknowledged(daemon)
        gone = hrefs.pop()
        stage.delete(gone)
        stage.send(aws.s3_event(stage.bucket, f"{PREFIX}/{gone}", "LifecycleExpiration:Delete"))
        stage.wait_for(daemon, hrefs)


def through_topic(stage, arn):
    sns = stage.endpoint.client("sns")
    topic = sns.create_topic(Name=f"{stage.bucket}-topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return {"TopicConfigurations": [{"TopicArn": topic, "Events": [CREATED, REMOVED]}]}


def through_event_bridge(stage, arn):
    events = stage.endpoint.client("events")
    rule = f"{stage.bucket}-rule"
    events.put_rule(Name=rule, EventPattern=json.dumps(
        {"source": ["aws.s3"], "detail": {"bucket": {"name": [stage.bucket]}}}))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    return {"EventBridgeConfiguration": {}}


@pytest.mark.parametrize("through", [through_topic, through_event_bridge])
def test_events_reach_the_queue_through_other_services(silent_stage, packages, through):
    """Each service in front of the queue makes its own messages of what happens in the bucket."""
    stage = silent_stage
    arn = stage.sqs.get_queue_attributes(QueueUrl=stage.queue_urls[stage.adds],
                                         AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stage.s3.put_bucket_notification_configuration(Bucket=stage.bucket,
                                                   NotificationConfiguration=through(stage, arn))
    with stage.daemon() as daemon:
        odd = "gtk+-c++_lib 1.0~rc1^git.rpm"
        stage.put(packages[0])
        stage.put(packages[1], odd)
        stage.wait_for(daemon, [packages[0].name, odd])
        stage.delete(odd)
        stage.wait_for(daemon, [packages[0].name])
        stage.wait_acknowledged(daemon)
        assert not [line for line in daemon.lines() if line["level"] in ("warning", "error")]


@pytest.mark.parametrize("spelling", ["name", "url", "arn"])
def test_queue_is_named_as_one_likes(stage, packages, spelling):
    url = stage.queue_urls[stage.adds]
    arn = f"arn:aws:sqs:{stage.endpoint.region}:{url.split('/')[-2]}:{stage.adds}"
    config = stage.configuration([{"name": stage.adds, "url": url, "arn": arn}[spelling]])
    with stage.program.daemon("--config", config) as daemon:
        stage.put(packages[0])
        stage.wait_for(daemon, [packages[0].name])


def test_several_records_in_one_message(silent_stage, packages):
    stage = silent_stage
    with stage.daemon() as daemon:
        bodies = []
        for path in packages[:3]:
            stage.put(path)
            bodies.append(aws.s3_event(stage.bucket, f"{PREFIX}/{path.name}"))
        stage.send({"Records": [record for body in bodies for record in body["Records"]]})
        stage.wait_for(daemon, [path.name for path in packages[:3]])


def test_messages_that_mean_nothing_are_acknowledged_and_change_nothing(silent_stage, packages):
    stage = silent_stage
    with stage.daemon() as daemon:
        stage.put(packages[0])
        event = aws.s3_event(stage.bucket, f"{PREFIX}/{packages[0].name}")
        stage.send(event)
        stage.wait_for(daemon, [packages[0].name])
        stage.wait_acknowledged(daemon)
        before, publications = stage.repomd(), len(daemon.messages("published"))
        for body in (
                aws.bucket_test_event(stage.bucket), aws.sns_envelope(aws.bucket_test_event(stage.bucket)),
                event, event,  # delivered again
                aws.s3_event(stage.bucket, f"{PREFIX}/never-there.rpm", "ObjectRemoved:Delete"),
                aws.s3_event(stage.bucket, f"{PREFIX}/repodata/own.rpm"),
                aws.s3_event(stage.bucket, f"{PREFIX}/README"),
                aws.s3_event(stage.bucket, f"{PREFIX}/folder/"),
                aws.s3_event(stage.bucket, "another/place/p00.rpm"),
                aws.s3_event("another-bucket", f"{PREFIX}/p00.rpm")):
            stage.send(body)
        stage.wait_acknowledged(daemon)
        assert stage.repomd() == before, "nothing changed, so nothing may be written (I5)"
        assert len(daemon.messages("published")) == publications
        # Nothing of this, the test event included, is worth a word above debug.
        assert not [line for line in daemon.lines() if line["level"] in ("warning", "error")]


def test_messages_that_nobody_understands_end_in_the_dead_letter_queue(silent_stage, packages):
    """A poison message is parked, and never holds up or drops its neighbours (semantics 9)."""
    stage = silent_stage
    poison = ['{"Records": [{"eventVersion"', "no JSON at all", "[]", '"text"', '{"Records": 7}']
    dead_url, dead_arn = aws.make_queue(stage.endpoint, f"{stage.adds}-dead")
    stage.sqs.set_queue_attributes(
        QueueUrl=stage.queue_urls[stage.adds],
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})})
    with stage.daemon(visibility="10s") as daemon:
        for body in poison:
            stage.send(body)
        stage.put(packages[0])
        stage.send(aws.s3_event(stage.bucket, f"{PREFIX}/{packages[0].name}"))
        stage.wait_for(daemon, [packages[0].name])
        daemon.wait_until(lambda: aws.queue_depth(stage.endpoint, dead_url) == len(poison), 60,
                          "the poison to be parked")
        stage.wait_acknowledged(daemon)
        warnings = [line for line in daemon.lines() if line["level"] == "warning"]
        assert len(warnings) == len(poison)
        assert all("message_id" in line for line in warnings), "a warning has to say which message it was"


def test_bad_packages_hold_up_nobody(stage, packages):
    with stage.daemon() as daemon:
        for name, body in (("text.rpm", b"this is no package\n"), ("empty.rpm", b""),
                           ("cut.rpm", packages[0].read_bytes()[:3000])):
            stage.s3.put_object(Bucket=stage.bucket, Key=f"{PREFIX}/{name}", Body=body)
        stage.put(packages[1])
        stage.wait_for(daemon, [packages[1].name])
        daemon.wait_until(lambda: any("text.rpm" in str(line) for line in daemon.lines()
                                      if line["level"] in ("warning", "error")), 30, "a complaint about text.rpm")


def test_several_repositories_in_one_bucket_are_kept_apart(stage, packages):
    inner = f"{stage.url}/testing"
    config = stage.configuration((stage.adds, stage.removes), (stage.url, inner))
    with stage.program.daemon("--config", config) as daemon, \
         serve_bucket(stage.endpoint, stage.bucket, f"{PREFIX}/testing/") as inner_view:
        stage.put(packages[0])
        stage.put(packages[1], f"testing/{packages[1].name}")
        daemon.wait_until(lambda: published(inner_view.url) == [packages[1].name], 60, "the inner repository")
        # The longest prefix owns a key (semantics 6).
        stage.wait_for(daemon, [packages[0].name])


def test_large_upload_in_parts_is_published_once(stage, packages, tmp_path):
    with stage.daemon() as daemon:
        upload = stage.s3.create_multipart_upload(Bucket=stage.bucket, Key=f"{PREFIX}/parts.rpm")["UploadId"]
        names = {"Bucket": stage.bucket, "Key": f"{PREFIX}/parts.rpm", "UploadId": upload}
        part = stage.s3.upload_part(**names, PartNumber=1, Body=packages[0].read_bytes())
        stage.s3.complete_multipart_upload(
            **names, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        stage.wait_for(daemon, ["parts.rpm"])
        stage.wait_acknowledged(daemon)
        assert sum(line["added"] + line["replaced"] for line in daemon.messages("published")) == 1


# ---- commands against this store -----------------------------------------------------------------------------

def test_upload_only_leaves_publishing_to_the_daemon(stage, packages):
    with stage.daemon() as daemon:
        stage.program.run("add", stage.url, packages[0], packages[1], "--upload-only")
        stage.wait_for(daemon, [packages[0].name, packages[1].name])


def test_reader_may_list_and_not_add(stage, moto, packages, tmp_path):
    stage.program.run("init", stage.url)
    stage.program.run("add", stage.url, packages[0])
    before = stage.repomd()
    reader = Program(tmp_path, moto.reader)
    assert reader.run("list", stage.url).stdout.split() == nevras(packages[:1])
    reader.run("verify", stage.url)
    reader.start("add", stage.url, packages[1]).expect(Exit.DENIED, stage.bucket)
    reader.start("remove", stage.url, "p00-1.0-1.noarch").expect(Exit.DENIED, stage.bucket)
    assert stage.repomd() == before


def test_server_that_is_not_there_is_unreachable(stage):
    stage.program.start("list", stage.url, "--endpoint", f"http://127.0.0.1:{free_port()}").expect(
        Exit.UNREACHABLE, "127.0.0.1")


def failing_daemon(stage, program, config):
    """Starts a daemon that cannot work, until it says so; the complaint, and the exit code if it gave up."""
    daemon = program.daemon("--config", config)
    daemon.launch()
    try:
        complaint = wait_until(lambda: [line for line in daemon.lines() if line["level"] == "error"], 60,
                               lambda: f"an error in the log:\n{daemon.server.output()}")[0]
        daemon.server.process.send_signal(signal.SIGTERM)
        return complaint, daemon.server.process.wait(30)
    finally:
        daemon.server.kill()


def test_daemon_with_wrong_credentials_says_so(stage):
    program = Program(stage.home, stage.endpoint.with_secret("wrong"))
    complaint, code = failing_daemon(stage, program, stage.configuration([stage.adds]))
    assert code in (Exit.DONE, Exit.DENIED)
    assert stage.bucket in str(complaint) or stage.adds in str(complaint)
    assert "wrong" not in str(complaint)


def test_daemon_without_its_queue_says_which(stage):
    complaint, code = failing_daemon(stage, stage.program, stage.configuration(["no-such-queue"]))
    assert code in (Exit.DONE, Exit.NOT_FOUND)
    assert "no-such-queue" in str(complaint)


# ---- the names and options of the Python tools ---------------------------------------------------------------

def legacy_daemon(stage, *arguments):
    return stage.program.daemon("-r", stage.endpoint.region, "-q", stage.adds, "-q", stage.removes,
                                "--queue-check-interval", "1", "--process-delay-count", "0",
                                "-l", stage.home / "legacy.log", *arguments, name="repoupdate-daemon")


def update_packages(stage, operation, *files, **options):
    return stage.program.start("-b", stage.bucket, "-p", PREFIX, "-r", stage.endpoint.region, "-o", operation, *files,
                               name="updatePackages", **options)


def until(stage, server, hrefs):
    wanted = sorted(hrefs)
    wait_until(lambda: server.running() and published(stage.view.url) == wanted, 90,
               lambda: f"{wanted}:\n{(stage.home / 'legacy.log').read_text()[-3000:]}")


def test_legacy_daemon_serves_what_an_event_names(stage, packages):
    """Without -b and -p: the bucket and directory of the event, when a repository is there."""
    stage.program.run("init", stage.url)
    # moto forgets one of two deletions that come together: the message is back when its time is over.
    stage.program.environment["REPOUPDATE_DAEMON_VISIBILITY"] = "10s"
    daemon = legacy_daemon(stage)
    daemon.launch()
    try:
        update_packages(stage, "add", packages[0], packages[1]).expect(Exit.DONE)
        stage.s3.put_object(Bucket=stage.bucket, Key="no/repository/p02.rpm", Body=packages[2].read_bytes())
        until(stage, daemon.server, [packages[0].name, packages[1].name])
        update_packages(stage, "remove", packages[0].name).expect(Exit.DONE)
        until(stage, daemon.server, [packages[1].name])
        wait_until(lambda: not any(aws.queue_depth(stage.endpoint, url) for url in stage.queue_urls.values()), 60,
                   "every message to be acknowledged")
        assert not [key for key in aws.keys(stage.endpoint, stage.bucket, "no/") if "repodata" in key]
        daemon.stop()
    finally:
        daemon.server.kill()


def test_legacy_daemon_with_bucket_and_path(stage, packages):
    stage.program.run("init", stage.url)
    daemon = legacy_daemon(stage, "-b", stage.bucket, "-p", PREFIX, "-v", "-v")
    daemon.launch()
    try:
        stage.put(packages[0])
        until(stage, daemon.server, [packages[0].name])
        daemon.stop()
    finally:
        daemon.server.kill()


def test_legacy_daemon_detaches(stage, packages):
    stage.program.run("init", stage.url)
    log = stage.home / "detached.log"
    stage.program.start("-d", "-l", log, "-r", stage.endpoint.region, "-q", stage.adds, "-b", stage.bucket,
                        "-p", PREFIX, name="repoupdate-daemon").expect(Exit.DONE)
    running = processes_of(stage.program)
    assert len(running) == 1, "the command returned and one process stays behind"
    try:
        stage.put(packages[0])
        wait_until(lambda: published(stage.view.url) == [packages[0].name], 60, lambda: log.read_text()[-3000:])
    finally:
        os.kill(running[0], signal.SIGTERM)
    wait_until(lambda: not processes_of(stage.program), 30, "the detached daemon to end")


def test_update_packages_uploads_and_deletes_only(stage, packages):
    stage.program.run("init", stage.url)
    before = stage.repomd()
    update_packages(stage, "add", packages[0], packages[1]).expect(Exit.DONE)
    assert f"{PREFIX}/{packages[0].name}" in aws.keys(stage.endpoint, stage.bucket)
    update_packages(stage, "remove", packages[0].name).expect(Exit.DONE)
    assert f"{PREFIX}/{packages[0].name}" not in aws.keys(stage.endpoint, stage.bucket)
    assert stage.repomd() == before


def test_update_packages_tells_when_something_failed(stage, packages):
    done = update_packages(stage, "add", packages[0], "/does/not/exist.rpm")
    assert done.code != 0 and "/does/not/exist.rpm" in done.stderr, done
    update_packages(stage, "frobnicate", packages[0]).expect(Exit.USAGE)
