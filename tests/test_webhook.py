# SPDX-License-Identifier: Apache-2.0
"""Events that a store pushes over HTTP, because it has no SQS: Ceph's gateway and MinIO with their own notifications,
and the webhook's answers to everybody else."""
import base64
import contextlib
import http.client
import itertools
import json
import sqlite3
import ssl
import subprocess
import urllib.parse

import pytest

from support import aws, metadata
from support.checks import clients_see, nevras, published
from support.minio import Minio
from support.process import find_server, free_port
from support.program import Daemon, Exit, Program
from support.servers import serve_bucket

NUMBERS = itertools.count(1)
PREFIX = "el9/x86_64"
SECRET = "s3cret+of/webhook"
EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
NEVER = 'quiet = "1h"\nmax_age = "1h"'  # nothing is published while a test looks


class Stage:
    """A bucket of a store, a repository in it, and the program with a webhook."""

    def __init__(self, endpoint, home):
        self.endpoint, self.home, self.bucket = endpoint, home, f"webhook-{next(NUMBERS)}"
        self.url = f"s3://{self.bucket}/{PREFIX}"
        self.s3 = endpoint.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.program = Program(home, endpoint)
        self.view = serve_bucket(endpoint, self.bucket, PREFIX + "/")
        self.queue_file = home / "state" / "queue.sqlite"

    def put(self, path, href=None):
        self.s3.put_object(Bucket=self.bucket, Key=f"{PREFIX}/{href or path.name}", Body=path.read_bytes())

    def delete(self, href):
        self.s3.delete_object(Bucket=self.bucket, Key=f"{PREFIX}/{href}")

    def topic(self, hook):
        """Has the bucket's events pushed to `hook`, as Ceph's users do it."""
        name = f"topic-{next(NUMBERS)}"
        sns = self.endpoint.client("sns")
        arn = sns.create_topic(Name=name, Attributes={"push-endpoint": hook, "OpaqueData": "opaque"})["TopicArn"]
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket,
            NotificationConfiguration={"TopicConfigurations": [{"Id": name, "TopicArn": arn, "Events": EVENTS}]})

    def daemon(self, listen="127.0.0.1:0", webhook=(), repository='quiet = "200ms"', log_name="daemon.log"):
        file, secret = self.home / "settings.toml", self.home / "secret"
        secret.write_text(SECRET + "\n")
        file.write_text("\n".join([
            "[webhook]", f'listen = "{listen}"', f'file = "{self.queue_file}"', f'secret_file = "{secret}"', *webhook,
            "[[repository]]", f'url = "{self.url}"', "create = true", repository, ""]))
        return self.program.daemon("--config", file, log_name=log_name)

    def stored(self):
        """How many events the queue holds; only while no daemon has it."""
        with contextlib.closing(sqlite3.connect(self.queue_file)) as file:
            return file.execute("SELECT count(*) FROM messages").fetchone()[0]


def hook_of(daemon):
    return daemon.wait_for_message("webhook listens")["url"]


def settled(stage, daemon):
    """Awaits the first comparison with the listing: what comes after it is published for its own sake."""
    daemon.wait_until(lambda: published(stage.view.url) == [], 60, "the empty repository")


def listed(stage, daemon, paths):
    wanted = nevras(paths)
    daemon.wait_until(lambda: published(stage.view.url) is not None
                      and metadata.load_repo(stage.view.url).nevras() == wanted, 60, f"the metadata to list {wanted}")


def send(url, body=b"", method="POST", headers=None, context=None):
    """The status and the text of the answer."""
    parts = urllib.parse.urlsplit(url)
    connection = (http.client.HTTPSConnection(parts.netloc, timeout=30, context=context) if parts.scheme == "https"
                  else http.client.HTTPConnection(parts.netloc, timeout=30))
    with contextlib.closing(connection):
        connection.request(method, parts._replace(scheme="", netloc="").geturl(), body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def bearer(secret=SECRET):
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def stage(rgw, tmp_path):
    stage = Stage(rgw.endpoint, tmp_path)
    with stage.view:
        yield stage


def test_ceph_pushes_and_the_metadata_follow(stage, packages, odd_packages, tmp_path):
    with stage.daemon() as daemon:
        settled(stage, daemon)
        stage.topic(f"{hook_of(daemon)}?token={urllib.parse.quote(SECRET, safe='')}")
        chosen = packages[:3] + odd_packages
        for path in chosen:
            stage.put(path)
        stage.put(packages[3], "sub dir/ü+~^%20.rpm")
        listed(stage, daemon, chosen + [packages[3]])
        stage.delete(chosen[0].name)
        stage.delete(odd_packages[0].name)
        left = [*chosen[1:3], *odd_packages[1:], packages[3]]
        listed(stage, daemon, left)
        stage.put(packages[4], chosen[1].name)  # other bytes under the same key
        left[0] = packages[4]
        listed(stage, daemon, left)
        assert not daemon.messages("webhook refused")
    clients_see(tmp_path / "clients", stage.view.url, left)
    assert stage.stored() == 0, "what was published is acknowledged"
    assert SECRET not in daemon.log_file.read_text()


def test_nothing_is_lost_when_the_daemon_is_killed(stage, packages):
    daemon = stage.daemon(repository=NEVER)
    with contextlib.ExitStack() as ended:
        daemon.launch()
        ended.callback(lambda: daemon.server.kill())
        daemon.wait_for_message("ready")
        hook = hook_of(daemon)
        stage.topic(f"{hook}?token={urllib.parse.quote(SECRET, safe='')}")
        settled(stage, daemon)
        for path in packages[:5]:
            stage.put(path)  # the gateway answers once its event was
    assert stage.stored() == 5
    assert published(stage.view.url) == []
    with stage.daemon(listen=urllib.parse.urlsplit(hook).netloc, log_name="again.log") as again:
        assert again.wait_for_message("webhook listens")["waiting"] == 5
        stage.put(packages[5])  # the same address serves the same topic
        listed(stage, again, packages[:6])
    assert stage.stored() == 0


def test_unpublished_events_survive_a_reload(stage, packages):
    """SIGHUP ends one daemon and starts another in the same process: the address and the file are handed over."""
    with stage.daemon(listen=f"127.0.0.1:{free_port()}", repository=NEVER) as daemon:
        hook = hook_of(daemon)
        settled(stage, daemon)
        stage.put(packages[0])
        body = json.dumps(aws.s3_event(stage.bucket, f"{PREFIX}/{packages[0].name}"))
        assert send(hook, body, headers=bearer())[0] == 200
        file = stage.home / "settings.toml"
        file.write_text(file.read_text().replace(NEVER, 'quiet = "200ms"'))
        daemon.server.process.send_signal(1)
        daemon.wait_until(lambda: len(daemon.messages("webhook listens")) == 2, 60, "the second daemon")
        assert daemon.messages("webhook listens")[-1]["waiting"] == 1
        listed(stage, daemon, packages[:1])
    assert stage.stored() == 0


def test_wrong_secrets_and_foreign_bodies_are_refused(stage, packages):
    event = json.dumps(aws.s3_event(stage.bucket, f"{PREFIX}/{packages[0].name}"))
    with stage.daemon(repository=NEVER, webhook=['user = "rgw"']) as daemon:
        hook = hook_of(daemon)
        settled(stage, daemon)
        basic = {"Authorization": "Basic " + base64.b64encode(f"rgw:{SECRET}".encode()).decode()}
        # The store itself, with a wrong token.
        stage.topic(f"{hook}?token=wrong")
        stage.put(packages[0])
        refusal = daemon.wait_for_message("webhook refused")
        assert refusal["status"] == 401 and refusal["peer"] == "127.0.0.1"
        for status, body, method, headers, target in [
                (401, event, "POST", {}, hook),
                (401, event, "POST", bearer("wrong"), hook),
                (401, event, "POST", bearer(SECRET[:-1]), hook),
                (400, "no event", "POST", bearer(), hook),
                (400, json.dumps({"some": "thing"}), "POST", bearer(), hook),
                (413, event + " " * (1 << 20), "POST", bearer(), hook),
                (415, event, "POST", bearer() | {"Content-Encoding": "gzip"}, hook),
                (404, event, "POST", bearer(), hook + "/more"),
                (405, event, "PUT", bearer(), hook)]:
            # A large body is refused before it is read; who sends it all the same may find the connection closed.
            early = (BrokenPipeError, ConnectionResetError) if status == 413 else ()
            with contextlib.suppress(*early):
                assert send(target, body, method, headers)[0] == status, (status, method, headers)
        assert daemon.wait_until(lambda: 413 in {line["status"] for line in daemon.messages("webhook refused")}, 30,
                                 "the refusal of a large body")
        # What stores send to see whether somebody is there.
        assert send(hook, method="HEAD")[0] == 200
        assert send(hook, headers=bearer())[0] == 200
        assert send(hook, json.dumps(aws.bucket_test_event(stage.bucket)), headers=bearer())[0] == 200
        assert send(hook.replace("/events", "/healthz"), method="GET") == (200, "ok\n")
        assert send(hook, event, headers=basic)[0] == 200
    assert stage.stored() == 1, "only the last one"
    assert SECRET not in daemon.log_file.read_text()


def test_a_full_queue_is_refused_and_told_by_healthz(stage, packages):
    with stage.daemon(repository=NEVER, webhook=["max_messages = 100"]) as daemon:
        hook = hook_of(daemon)
        settled(stage, daemon)
        event = json.dumps(aws.s3_event(stage.bucket, f"{PREFIX}/{packages[0].name}"))
        answers = [send(hook, event, headers=bearer())[0] for _ in range(101)]
        assert answers == [200] * 100 + [503]
        assert send(hook.replace("/events", "/healthz"), method="GET")[0] == 503


def test_a_message_that_fails_for_good_is_parked(stage, packages):
    """A package that cannot be read fails the same way each time; what comes beside it is published."""
    stage.program.run("init", stage.url)
    with stage.daemon(webhook=["max_receives = 2", "[daemon]", 'visibility = "10s"']) as daemon:
        hook = hook_of(daemon)
        settled(stage, daemon)
        stage.s3.put_object(Bucket=stage.bucket, Key=f"{PREFIX}/broken.rpm", Body=b"no package" * 100)
        stage.put(packages[0])
        for name in ("broken.rpm", packages[0].name):
            event = json.dumps(aws.s3_event(stage.bucket, f"{PREFIX}/{name}"))
            assert send(hook, event, headers=bearer())[0] == 200
        listed(stage, daemon, packages[:1])
        parked = daemon.wait_for_message("message parked: it was tried as often as max_receives says", 120)
        assert parked["about"] == f"{stage.bucket}/{PREFIX}/broken.rpm"
        assert send(hook.replace("/events", "/healthz"), method="GET")[0] == 200
    assert stage.stored() == 1, "it stays in the file"
    with stage.daemon(log_name="again.log") as again:
        assert again.wait_for_message("webhook listens")["waiting"] == 0
        listed(stage, again, packages[:1])


def test_a_queue_file_serves_one_daemon(stage):
    with stage.daemon() as daemon:
        hook_of(daemon)
        second = Daemon(stage.program, "--config", stage.home / "settings.toml")
        done = stage.program.start(*second.command[1:])
        done.expect(Exit.CONFLICT, str(stage.queue_file), "in use by another process")


@pytest.mark.parametrize("lines, said", [
    (['listen = "8042"'], "HOST:PORT"),
    (['secret = "two words"'], "without spaces"),
    (['user = "rgw"'], "no webhook.secret"),
    (['user = "a:b"', 'secret = "s3cret"'], "no ':'"),
    (['secret_file = "/no/such/file"'], "webhook.secret_file"),
    (['secret = "s3cret"', 'secret_file = "/etc/hostname"'], "keep one"),
    (['tls_key = "/etc/hostname"'], "set both"),
    (['tls_certificate = "/etc/hostname"', 'tls_key = "/etc/hostname"'], "PEM"),
])
def test_wrong_settings_are_told_and_no_secret_is(program, lines, said):
    """Without a store: a daemon on a directory does not start either."""
    listen = [] if lines[0].startswith("listen") else ['listen = "127.0.0.1:0"']
    file = program.home / "settings.toml"
    file.write_text("\n".join(["[webhook]", f'file = "{program.home}/queue.sqlite"', *listen, *lines,
                               "[[repository]]", f'url = "{program.home}/repo"', "create = true", ""]))
    done = program.start("daemon", "--config", file).expect(Exit.USAGE, said)
    assert "s3cret" not in done.stderr


def test_tls_and_basic_authentication(stage, packages, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    settings = ['user = "rgw"', f'tls_certificate = "{certificate}"', f'tls_key = "{key}"']
    with stage.daemon(webhook=settings) as daemon:
        hook = hook_of(daemon)
        assert hook.startswith("https://")
        settled(stage, daemon)
        context = ssl.create_default_context(cafile=certificate)
        basic = {"Authorization": "Basic " + base64.b64encode(f"rgw:{SECRET}".encode()).decode()}
        stage.put(packages[0])
        event = json.dumps(aws.s3_event(stage.bucket, f"{PREFIX}/{packages[0].name}"))
        assert send(hook, event, context=context)[0] == 401
        assert send(hook, event, headers=basic, context=context)[0] == 200
        listed(stage, daemon, packages[:1])


class MinioStage(Stage):
    TARGET = "REPOUPDATE"

    def notify(self):
        arn = f"arn:minio:sqs:{self.endpoint.region}:{self.TARGET}:webhook"
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket,
            NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": EVENTS}]})


@pytest.fixture
def minio(tmp_path):
    """MinIO that pushes to a port on which nobody listens yet."""
    if not find_server("minio"):
        pytest.skip("MinIO is not installed (scripts/install-deps --servers)")
    listen = f"127.0.0.1:{free_port()}"
    name = MinioStage.TARGET
    queue_dir = tmp_path / "minio-queue"
    queue_dir.mkdir()
    server = Minio({f"MINIO_NOTIFY_WEBHOOK_ENABLE_{name}": "on",
                    f"MINIO_NOTIFY_WEBHOOK_ENDPOINT_{name}": f"http://{listen}/events",
                    f"MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_{name}": SECRET,
                    f"MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_{name}": str(queue_dir)})
    yield server, listen
    server.stop()


def test_minio_pushes_and_the_metadata_follow(minio, packages, odd_packages, tmp_path):
    server, listen = minio
    stage = MinioStage(server.endpoint, tmp_path)
    with stage.view:
        with stage.daemon(listen=listen) as daemon:
            settled(stage, daemon)
            stage.notify()
            chosen = packages[:3] + odd_packages
            for path in chosen:
                stage.put(path)
            stage.put(packages[3], "sub dir/ü+~^%20.rpm")
            listed(stage, daemon, chosen + [packages[3]])
            stage.delete(chosen[0].name)
            listed(stage, daemon, chosen[1:] + [packages[3]])
            assert not daemon.messages("webhook refused")
        assert stage.stored() == 0
        # While nobody listens MinIO keeps the events, and sends them when somebody does.
        stage.put(packages[4])
        with stage.daemon(listen=listen, log_name="again.log") as again:
            listed(stage, again, chosen[1:] + packages[3:5])
            stage.delete(packages[4].name)
            listed(stage, again, chosen[1:] + [packages[3]])
        assert SECRET not in daemon.log_file.read_text() + again.log_file.read_text()
