# SPDX-License-Identifier: Apache-2.0
"""Events that a store pushes over HTTP, because it has no SQS: Ceph's gateway with its own notifications, and the
webhook's answers to everybody else."""
import base64
import contextlib
import http.client
import json
import ssl
import subprocess
import urllib.parse

import pytest

from support import aws
from support.checks import clients_see, published
from support.process import free_port
from support.program import Daemon, Exit
from support.scrape import Monitor
from support.webhook import SECRET, WebhookStage, acknowledged, hook_of, listed, put_odd, settled

NEVER = 'quiet = "1h"\nmax_age = "1h"'  # nothing is published while a test looks


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
    stage = WebhookStage(rgw, tmp_path)
    with stage.view:
        yield stage


def test_ceph_pushes_and_the_metadata_follow(stage, packages, odd_packages, tmp_path):
    with stage.daemon() as daemon:
        settled(stage, daemon)
        stage.topic(f"{hook_of(daemon)}?token={urllib.parse.quote(SECRET, safe='')}")
        left = put_odd(stage, daemon, packages, odd_packages)
        left.remove(odd_packages[0])
        stage.delete(odd_packages[0].name)
        listed(stage, daemon, left)
        stage.put(packages[4], left[0].name)  # other bytes under the same key
        left[0] = packages[4]
        listed(stage, daemon, left)
        acknowledged(daemon)
        assert not daemon.messages("webhook refused")
    clients_see(tmp_path / "clients", stage.view.url, left)
    assert stage.stored() == 0, "what was published is acknowledged"
    assert SECRET not in daemon.log_file.read_text()


def test_ceph_keeps_the_events_of_a_persistent_topic_while_the_daemon_is_away(stage, packages):
    """What it finds by comparing with the listing proves nothing; that a message is parked does, since it came."""
    listen = f"127.0.0.1:{free_port()}"
    stage.init()
    stage.topic(f"http://{listen}/events?token={urllib.parse.quote(SECRET, safe='')}", persistent="true")
    stage.s3.put_object(Bucket=stage.bucket, Key=f"{stage.prefix}broken.rpm", Body=b"no package" * 100)
    with stage.daemon(listen=listen, webhook=["max_receives = 1", "[daemon]", 'visibility = "10s"']) as daemon:
        parked = daemon.wait_for_message("message parked: it was tried as often as max_receives says", 120)
        assert parked["about"] == f"{stage.bucket}/{stage.prefix}broken.rpm"
        # The next ones come at once.
        stage.put(packages[0])
        listed(stage, daemon, packages[:1])


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
        acknowledged(again)
    assert stage.stored() == 0


def test_unpublished_events_survive_a_reload(stage, packages):
    """SIGHUP ends one daemon and starts another in the same process: the address and the file are handed over."""
    with stage.daemon(listen=f"127.0.0.1:{free_port()}", repository=NEVER) as daemon:
        hook = hook_of(daemon)
        settled(stage, daemon)
        stage.put(packages[0])
        body = json.dumps(aws.s3_event(stage.bucket, f"{stage.prefix}{packages[0].name}"))
        assert send(hook, body, headers=bearer())[0] == 200
        file = stage.home / "settings.toml"
        file.write_text(file.read_text().replace(NEVER, 'quiet = "200ms"'))
        daemon.server.process.send_signal(1)
        daemon.wait_until(lambda: len(daemon.messages("webhook listens")) == 2, 60, "the second daemon")
        assert daemon.messages("webhook listens")[-1]["waiting"] == 1
        listed(stage, daemon, packages[:1])
        acknowledged(daemon)
    assert stage.stored() == 0


def test_wrong_secrets_and_foreign_bodies_are_refused(stage, packages):
    event = json.dumps(aws.s3_event(stage.bucket, f"{stage.prefix}{packages[0].name}"))
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
        event = json.dumps(aws.s3_event(stage.bucket, f"{stage.prefix}{packages[0].name}"))
        answers = [send(hook, event, headers=bearer())[0] for _ in range(101)]
        assert answers == [200] * 100 + [503]
        assert send(hook.replace("/events", "/healthz"), method="GET")[0] == 503
        monitor = Monitor(daemon)
        (reason,) = monitor.wait_for_state("readyz", 503)["reasons"]
        assert reason["source"] == hook and "events are refused" in reason["reason"]
        monitor.wait_for(lambda m: m.value("repoupdate_source_up", source=hook) == 0, "the source to be down")


def test_a_message_that_fails_for_good_is_parked(stage, packages):
    """A package that cannot be read fails the same way each time; what comes beside it is published."""
    stage.program.run("init", stage.url)
    with stage.daemon(webhook=["max_receives = 2", "[daemon]", 'visibility = "10s"']) as daemon:
        hook = hook_of(daemon)
        settled(stage, daemon)
        stage.s3.put_object(Bucket=stage.bucket, Key=f"{stage.prefix}broken.rpm", Body=b"no package" * 100)
        stage.put(packages[0])
        for name in ("broken.rpm", packages[0].name):
            event = json.dumps(aws.s3_event(stage.bucket, f"{stage.prefix}{name}"))
            assert send(hook, event, headers=bearer())[0] == 200
        listed(stage, daemon, packages[:1])
        parked = daemon.wait_for_message("message parked: it was tried as often as max_receives says", 120)
        assert parked["about"] == f"{stage.bucket}/{stage.prefix}broken.rpm"
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
        event = json.dumps(aws.s3_event(stage.bucket, f"{stage.prefix}{packages[0].name}"))
        assert send(hook, event, context=context)[0] == 401
        assert send(hook, event, headers=basic, context=context)[0] == 200
        listed(stage, daemon, packages[:1])
