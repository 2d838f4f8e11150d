# SPDX-License-Identifier: Apache-2.0
"""What monitoring is told: metrics that are true, health that follows what happens, systemd's protocol, and rules and a
dashboard that ask for nothing that is not there."""
import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from support import aws
from support.checks import published
from support.process import checked, find_server, wait_until
from support.program import Exit, Program
from support.relay import Cut, HoldAt, Relay
from support.scrape import Monitor, fetch
from support.stage import Stage

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "packaging/prometheus/repoupdate.rules.yml"
DASHBOARD = ROOT / "packaging/grafana/repoupdate.json"
METRICS = ("--metrics", "127.0.0.1:0", "--quiet", "200ms")


@pytest.fixture
def repository(tmp_path):
    directory = tmp_path / "repository"
    directory.mkdir()
    return directory


class QueueStage(Stage):
    """A bucket that tells a queue, each behind a gate of its own."""

    def __init__(self, moto, home):
        super().__init__(moto, home)
        self.queue = f"queue-{self.bucket}"
        self.queue_url, arn = aws.make_queue(self.endpoint, self.queue)
        aws.notify_queues(self.endpoint, self.bucket, {arn: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]})
        self.source = f"sqs://us-east-1/{self.queue}"

    def daemon(self, s3=None, sqs=None, more=(), **options):
        lines = ["[aws]", f's3_endpoint = "{s3 or self.endpoint.url}"', f'sqs_endpoint = "{sqs or self.endpoint.url}"',
                 "[metrics]", 'listen = "127.0.0.1:0"', "[daemon]", 'retry_ceiling = "1s"', *more,
                 "[[queue]]", f'name = "{self.queue}"',
                 "[[repository]]", f'url = "{self.url}"', "create = true", 'quiet = "200ms"']
        config = self.home / "repoupdate.toml"
        config.write_text("\n".join(lines) + "\n")
        return self.program.daemon("--config", config, **options)


@pytest.fixture
def stage(moto, tmp_path):
    return QueueStage(moto, tmp_path)


class Gate:
    """Lets everything through, or nothing."""

    def __init__(self):
        self.is_open = True

    def __call__(self, piece):
        if not self.is_open:
            raise Cut


def reasons(answer, what):
    return [reason["reason"] for reason in answer.get("reasons", []) if what in reason]


# ---- metrics --------------------------------------------------------------------------------------------------------

def test_a_directory_counts_what_was_published(program, repository, packages):
    name = str(repository)
    started = time.time()
    with program.daemon("--repository", repository, "--create", *METRICS) as daemon:
        monitor = Monitor(daemon)
        before = monitor.wait_for(lambda m: m.value("repoupdate_updates_total", repository=name, outcome="published"),
                                  "the first publication")
        assert before.value("repoupdate_packages", repository=name) == 0
        assert before.value("repoupdate_event_to_visible_seconds_count", repository=name) == 0
        assert before.value("repoupdate_last_failure_timestamp_seconds", repository=name) == 0
        for path in packages[:3]:
            shutil.copy(path, repository)
        (repository / "text.rpm").write_text("this is no package\n")
        monitor.wait_for(lambda m: m.value("repoupdate_packages", repository=name) == 3
                         and m.value("repoupdate_packages_skipped_total", repository=name), "three packages")
        (repository / packages[0].name).unlink()
        # Set last, so all others are there by then.
        after = monitor.wait_for(
            lambda m: m.value("repoupdate_event_to_visible_seconds_count", repository=name) == 4, "four changes")
        assert after.value("repoupdate_packages", repository=name) == 2
        changed = {change: after.value("repoupdate_packages_changed_total", repository=name, change=change)
                   for change in ("added", "replaced", "removed")}
        assert changed == {"added": 3, "replaced": 0, "removed": 1}
        assert after.value("repoupdate_packages_skipped_total", repository=name) >= 1
        publications = after.value("repoupdate_updates_total", repository=name, outcome="published")
        assert publications == len(daemon.messages("published"))
        for stage in ("load", "look", "prove", "plan", "splice", "publish", "confirm"):
            assert after.value("repoupdate_stage_seconds_count", stage=stage) == publications
        assert started <= after.value("repoupdate_last_publication_timestamp_seconds", repository=name) <= time.time()
        monitor.wait_for(lambda m: m.value("repoupdate_repository_up", repository=name) == 1, "the repository to be up")


def test_the_process_is_measured(program, repository):
    version = program.run("--version").stdout.split()[1]
    with program.daemon("--repository", repository, "--create", *METRICS) as daemon:
        metrics = Monitor(daemon).metrics()
        process = Path(f"/proc/{daemon.server.process.pid}")
        assert metrics.value("repoupdate_build_info", version=version) == 1
        assert abs(metrics.value("process_open_fds") - len(list((process / "fd").iterdir()))) <= 3
        assert abs(metrics.value("process_threads") - len(list((process / "task").iterdir()))) <= 2
        resident = int(re.search(r"VmRSS:\s+(\d+)", (process / "status").read_text()).group(1)) << 10
        assert 0.5 < metrics.value("process_resident_memory_bytes") / resident < 2
        assert 0 < metrics.value("process_cpu_seconds_total") < 60
        assert time.time() - 120 < metrics.value("process_start_time_seconds") <= time.time()
        assert not metrics.all("repoupdate_requests_total"), "a directory is asked by no request"


def test_a_queue_and_its_bucket_are_counted(stage, packages):
    with stage.daemon() as daemon, stage.view as view:
        monitor = Monitor(daemon)
        daemon.wait_for_message("published")
        for path in packages[:2]:
            stage.put(path)
        daemon.wait_until(lambda: published(view.url) == [path.name for path in packages[:2]], 60, "two packages")
        metrics = monitor.wait_for(
            lambda m: m.value("repoupdate_messages_acknowledged_total", source=stage.source) >= 2
            and not m.value("repoupdate_open_messages", source=stage.source), "the messages to be acknowledged")
        received = metrics.value("repoupdate_messages_received_total", source=stage.source)
        assert received == metrics.value("repoupdate_messages_acknowledged_total", source=stage.source)
        assert metrics.value("repoupdate_messages_parked_total", source=stage.source) == 0
        assert metrics.value("repoupdate_oldest_message_age_seconds", source=stage.source) == 0
        monitor.wait_for(lambda m: m.value("repoupdate_source_up", source=stage.source) == 1, "the source to be up")
        assert metrics.value("repoupdate_event_to_visible_seconds_count", repository=stage.url) == 2
        seconds = metrics.value("repoupdate_event_to_visible_seconds_sum", repository=stage.url)
        assert 0 < seconds < 2 * 60, "the events' own time, and no other"
        bucket = f"s3://{stage.bucket}"
        puts = metrics.value("repoupdate_requests_total", store=bucket, operation="PutObject", outcome="ok")
        assert puts >= 8, "two publications or three, of four objects each"
        assert metrics.value("repoupdate_requests_total", store=stage.source, operation="ReceiveMessage") >= 1
        assert metrics.value("repoupdate_sent_bytes_total", store=bucket) > 1000
        assert metrics.value("repoupdate_received_bytes_total", store=bucket) > 1000
        assert metrics.value("repoupdate_retries_total", store=bucket) == 0
        assert daemon.messages("published")[-1]["request_id"], "what the store calls the PUT of repomd.xml"
        # No key, and nothing secret, is ever a label.
        assert packages[0].name not in metrics.text and stage.endpoint.secret_key not in metrics.text


def test_what_is_not_understood_is_counted_until_it_is_given_up(stage):
    with stage.daemon(more=("park_after = 1",)) as daemon:
        monitor = Monitor(daemon)
        stage.endpoint.client("sqs").send_message(QueueUrl=stage.queue_url, MessageBody="{}")
        monitor.wait_for(lambda m: m.value("repoupdate_messages_parked_total", source=stage.source) == 1, "the message")


# ---- health ---------------------------------------------------------------------------------------------------------

def test_ready_follows_the_queue(stage):
    gate = Gate()
    with Relay(stage.endpoint.url, gate) as relay, stage.daemon(sqs=relay.url) as daemon:
        monitor = Monitor(daemon)
        monitor.wait_for_state("readyz", 200)
        gate.is_open = False
        answer = monitor.wait_for_state("readyz", 503)
        assert reasons(answer, "source") and not reasons(answer, "repository")
        monitor.wait_for(lambda m: m.value("repoupdate_source_up", source=stage.source) == 0, "the source to be down")
        assert monitor.state("healthz")[0] == 200, "that is no reason to be restarted"
        gate.is_open = True
        monitor.wait_for_state("readyz", 200)


def test_ready_follows_the_store_also_when_nothing_changes(stage):
    gate = Gate()
    with Relay(stage.endpoint.url, gate) as relay, stage.daemon(s3=relay.url) as daemon:
        monitor = Monitor(daemon)
        monitor.wait_for_state("readyz", 200)
        gate.is_open = False
        answer = monitor.wait_for_state("readyz", 503)
        assert reasons(answer, "store") and not reasons(answer, "source")
        retries = monitor.metrics().value("repoupdate_retries_total", store=f"s3://{stage.bucket}", cause="reset")
        assert retries >= 1
        gate.is_open = True
        monitor.wait_for_state("readyz", 200)


def test_a_repository_that_fails_is_named_and_counted(stage, packages):
    gate = Gate()
    with Relay(stage.endpoint.url, gate) as relay, stage.daemon(s3=relay.url) as daemon, stage.view as view:
        monitor = Monitor(daemon)
        monitor.wait_for_state("readyz", 200)
        gate.is_open = False
        stage.put(packages[0])
        monitor.wait_for(lambda m: m.value("repoupdate_updates_total", repository=stage.url, outcome="failed"),
                         "a failed update", timeout=120)
        status, answer = monitor.state("readyz")
        assert status == 503 and reasons(answer, "repository")
        failed_at = monitor.metrics().value("repoupdate_last_failure_timestamp_seconds", repository=stage.url)
        assert failed_at > time.time() - 120
        # The update that failed may have been one of the pass, ahead of the message, and gauges are set in their own time.
        monitor.wait_for(lambda m: m.value("repoupdate_open_messages", source=stage.source) == 1
                         and m.value("repoupdate_oldest_message_age_seconds", source=stage.source) > 0,
                         "the message to be open, and to grow older")
        gate.is_open = True
        daemon.wait_until(lambda: published(view.url) == [packages[0].name], 90, "the package")
        monitor.wait_for_state("readyz", 200)
        seconds = monitor.metrics().value("repoupdate_event_to_visible_seconds_sum", repository=stage.url)
        assert seconds >= 1, "the time of the trouble counts"


def test_a_worker_that_gets_no_further_is_no_life(stage, packages):
    gate = HoldAt(b"PUT ")
    with Relay(stage.endpoint.url, gate) as relay, \
         stage.daemon(s3=relay.url, more=('stuck_after = "8s"',)) as daemon:
        monitor = Monitor(daemon)
        answer = monitor.wait_for_state("healthz", 503)
        assert "publish" in reasons(answer, "thread")[0]
        daemon.wait_for_message("a thread is stuck")
        gate.release()
        monitor.wait_for_state("healthz", 200)
        assert len(daemon.messages("a thread is stuck")) == 1


def test_a_long_first_look_that_gets_further_is_alive(stage, many_packages):
    """The watchdog would end it, and it would begin anew, for ever."""
    for package in many_packages[:12]:
        stage.put(package)

    def slowly(piece):
        if piece.startswith(b"GET ") and b".rpm" in piece:
            time.sleep(1)

    stage.program.environment["REPOUPDATE_DEFAULTS_REQUESTS"] = "1"
    with Relay(stage.endpoint.url, slowly) as relay, \
         stage.daemon(s3=relay.url, more=('stuck_after = "8s"',)) as daemon, stage.view as view:
        monitor = Monitor(daemon)
        daemon.wait_until(lambda: len(published(view.url) or []) == 12, 60, "the packages")
        assert not daemon.messages("a thread is stuck")
        assert monitor.state("healthz")[0] == 200


def test_settings_without_a_repository_are_not_taken_over(program, repository, packages, tmp_path):
    """A file that is just being written: events would be acknowledged as nobody's."""
    config = tmp_path / "repoupdate.toml"
    settings = f'[metrics]\nlisten = "127.0.0.1:0"\n[[repository]]\nurl = "{repository}"\ncreate = true\nquiet = "200ms"\n'
    config.write_text(settings)
    with program.daemon("--config", config) as daemon:
        monitor = Monitor(daemon)
        monitor.wait_for_state("readyz", 200)
        config.write_text("")
        daemon.server.process.send_signal(signal.SIGHUP)
        daemon.wait_for_message("going on with the settings of before")
        assert "no repository to serve" in daemon.messages("cannot start")[-1]["error"]
        monitor.wait_for_state("readyz", 200)
        shutil.copy(packages[0], repository)
        daemon.wait_until(lambda: published(repository) == [packages[0].name], 60, "the package")


def test_a_bucket_that_hangs_holds_nobody_else_up_when_settings_are_read_again(stage, repository, packages):
    gate = HoldAt(b"GET ")
    more = ("[[repository]]", f'url = "{repository}"', "create = true", 'quiet = "200ms"')
    with Relay(stage.endpoint.url, gate) as relay, stage.daemon(s3=relay.url, more=more) as daemon:
        daemon.wait_until(lambda: (repository / "repodata/repomd.xml").exists(), 60, "the directory")
        assert gate.reached.wait(60)
        daemon.server.process.send_signal(signal.SIGHUP)
        shutil.copy(packages[0], repository)
        daemon.wait_until(lambda: len(daemon.messages("ready")) == 2, 60, "the daemon to be back")
        daemon.wait_until(lambda: published(repository) == [packages[0].name], 30, "the package")
        gate.release()


def test_a_queue_that_hangs_does_not_hold_up_the_end(stage, packages):
    store, queue = Gate(), HoldAt(b"ChangeMessageVisibility")
    with Relay(stage.endpoint.url, store) as s3, Relay(stage.endpoint.url, queue) as sqs, \
         stage.daemon(s3=s3.url, sqs=sqs.url) as daemon:
        monitor = Monitor(daemon)
        monitor.wait_for_state("readyz", 200)
        store.is_open = False
        stage.put(packages[0])
        monitor.wait_for(lambda m: m.value("repoupdate_open_messages") == 1, "the message")
        daemon.server.process.send_signal(signal.SIGTERM)
        assert daemon.server.process.wait(40) == 0, "systemd waits for 90 s"
        daemon.killed = True
        assert queue.reached.is_set(), "it was asked to give the message back"


def test_a_misspelt_prefix_is_told_and_counted(stage, packages):
    with stage.daemon() as daemon:
        monitor = Monitor(daemon)
        monitor.wait_for_state("readyz", 200)
        stage.s3.upload_file(str(packages[0]), stage.bucket, f"elsewhere/{packages[0].name}")
        monitor.wait_for(lambda m: m.value("repoupdate_events_unrouted_total", source=stage.source) == 1, "the event")
        line = daemon.wait_for_message("package of no repository")
        assert line["level"] == "info" and line["key"] == f"elsewhere/{packages[0].name}"


def test_settings_read_again_keep_the_numbers_and_the_address(program, tmp_path, packages):
    first, second = tmp_path / "first", tmp_path / "second"
    config = tmp_path / "repoupdate.toml"

    def write(*directories):
        lines = ["[metrics]", 'listen = "127.0.0.1:0"']
        for directory in directories:
            directory.mkdir(exist_ok=True)
            lines += ["[[repository]]", f'url = "{directory}"', "create = true"]
        config.write_text("\n".join(lines) + "\n")

    write(first, second)
    with program.daemon("--config", config) as daemon:
        monitor = Monitor(daemon)
        monitor.wait_for_state("readyz", 200)
        assert monitor.metrics().value("repoupdate_updates_total", repository=str(first)) == 1
        write(first)
        daemon.server.process.send_signal(signal.SIGHUP)
        metrics = monitor.wait_for(lambda m: not m.all("repoupdate_packages", repository=str(second)),
                                   "the second repository to be forgotten")
        assert metrics.value("repoupdate_updates_total", repository=str(first)) >= 1
        monitor.wait_for_state("readyz", 200)


def test_nothing_listens_unless_it_is_told_where(program, repository):
    with program.daemon("--repository", repository, "--create") as daemon:
        daemon.wait_for_message("published")
        listeners = checked(["ss", "-Hltnp"]) if shutil.which("ss") else ""
        assert f"pid={daemon.server.process.pid}," not in listeners
        assert not daemon.messages("metrics listen")


def test_an_address_in_use_is_said_once_and_before_anything_is_served(program, repository):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        done = program.start("daemon", "--repository", repository, "--create", "--metrics", where)
    done.expect(Exit.LOCAL, f"repoupdate: metrics: cannot listen on {where}")
    assert done.stderr.count(where) == 1


def test_other_paths_and_methods_are_refused(program, repository):
    with program.daemon("--repository", repository, "--create", *METRICS) as daemon:
        url = Monitor(daemon).url
        assert fetch(url + "/")[0] == 404
        with socket.create_connection(url.removeprefix("http://").split(":"), timeout=10) as raw:
            raw.sendall(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            assert b" 405 " in raw.recv(100)


# ---- systemd --------------------------------------------------------------------------------------------------------

class ServiceManager:
    """The socket of sd_notify(3), and what came through it."""

    def __init__(self, home):
        self.path = home / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.lines = []

    def environment(self, watchdog=None):
        more = {"WATCHDOG_USEC": str(int(watchdog * 1e6))} if watchdog else {}
        return {"NOTIFY_SOCKET": str(self.path)} | more

    def said(self):
        try:
            while True:
                self.lines += self.socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return self.lines


@pytest.fixture
def manager():
    # A socket's name is short.
    with tempfile.TemporaryDirectory(prefix="notify-", dir="/tmp") as home:
        yield ServiceManager(Path(home))


def test_systemd_is_told_of_start_reload_and_stop(tmp_path, repository, manager):
    program = Program(tmp_path, extra=manager.environment())
    with program.daemon("--repository", repository, "--create") as daemon:
        wait_until(lambda: "READY=1" in manager.said(), 30, "READY=1")
        wait_until(lambda: "STATUS=all is well" in manager.said(), 30, "the status")
        daemon.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: manager.said().count("READY=1") == 2, 30, "READY=1 again")
        again = manager.lines.index("RELOADING=1")
        assert re.fullmatch(r"MONOTONIC_USEC=\d+", manager.lines[again + 1])
        assert manager.lines.index("READY=1") < again < len(manager.lines) - 1 - manager.lines[::-1].index("READY=1")
        assert "STOPPING=1" not in manager.said() and "WATCHDOG=1" not in manager.said()
    assert "STOPPING=1" in manager.said()


def test_the_watchdog_is_fed_only_while_the_daemon_lives(stage, manager):
    stage.program = Program(stage.home, stage.endpoint, manager.environment(watchdog=2))
    gate = HoldAt(b"PUT ")
    with Relay(stage.endpoint.url, gate) as relay, \
         stage.daemon(s3=relay.url, more=('stuck_after = "5s"',)) as daemon:
        monitor = Monitor(daemon)
        wait_until(lambda: "WATCHDOG=1" in manager.said(), 30, "the watchdog to be fed")
        monitor.wait_for_state("healthz", 503)
        wait_until(lambda: any(line.startswith("STATUS=stuck: thread ") for line in manager.said()), 30, "the status")
        fed = manager.said().count("WATCHDOG=1")
        time.sleep(2.5)  # longer than the watchdog waits: nothing may come, so there is nothing to await
        assert manager.said().count("WATCHDOG=1") == fed
        gate.release()
        wait_until(lambda: manager.said().count("WATCHDOG=1") > fed, 30, "the watchdog to be fed again")


# ---- what people are told -------------------------------------------------------------------------------------------

def test_a_bucket_of_which_nobody_tells_is_warned_of(stage):
    with stage.program.daemon("--repository", stage.url, "--create") as daemon:
        (line,) = daemon.messages("nothing will tell of changes after the start: set a queue, the webhook, or poll")
        assert line["level"] == "warning" and line["repository"] == stage.url


def test_failures_are_said_once_and_by_whom(program, repository):
    missing = repository / "missing"
    done = program.start("daemon", "--repository", missing).expect(Exit.NOT_FOUND, f"repoupdate: there is no directory {missing}")
    assert done.stderr.count(str(missing)) == 1
    done = program.start("daemon", "--log-format", "json", "--repository", missing).expect(Exit.NOT_FOUND)
    (line,) = done.stderr.splitlines()
    assert str(missing) in json.loads(line)["error"]
    for arguments in (["nonsense"], ["update"], ["update", "--nonsense", str(repository)]):
        assert program.start(*arguments).expect(Exit.USAGE).stderr.startswith("repoupdate: ")
    assert program.start(name="updatePackages").expect(Exit.USAGE).stderr.startswith("updatePackages: ")


def test_help_names_what_there_is(program):
    assert "--config" in program.run("config", "show", "--help").stdout
    text = program.run("daemon", "--help").stdout
    assert "webhook" in text.split("Options")[0] + text[text.find("Takes events"):] and "--metrics" in text
    assert "another daemon has the queue file" in program.run("--help").stdout


# ---- packaging ------------------------------------------------------------------------------------------------------

def exported(program, repository, stage):
    """Every name that daemons export: one on a directory, and one on a bucket with a queue and the webhook."""
    names = set()
    with program.daemon("--repository", repository, "--create", *METRICS, log_name="directory.log") as daemon:
        names |= Monitor(daemon).metrics().names()
    with stage.daemon(more=("[webhook]", 'listen = "127.0.0.1:0"', f'file = "{stage.home}/queue.sqlite"')) as daemon:
        daemon.wait_for_message("published")
        names |= Monitor(daemon).metrics().names()
    return names


def asked_for(text):
    return set(re.findall(r"\b(?:repoupdate|process)_[a-z_]+\b", text))


def dashboard_queries():
    dashboard = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def test_rules_and_dashboard_ask_for_what_is_exported_and_the_manual_tells_of_it(program, repository, stage):
    names = exported(program, repository, stage)
    dashboard = json.loads(DASHBOARD.read_text())
    expressions = dashboard_queries()
    assert len(expressions) >= 10 and all(panel["title"] for panel in dashboard["panels"])
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    rules = re.findall(r"expr: *(?:>-?|\|)?\s*((?:.|\n)+?)\n\s+(?:for|labels):", RULES.read_text())
    assert len(rules) == RULES.read_text().count("- alert:") >= 8
    for text in [*expressions, *rules]:
        wanted = asked_for(text) - {"repoupdate_job"}
        assert wanted and wanted <= names, f"not exported: {wanted - names} in {text}"
    manual = (ROOT / "docs/operations.md").read_text()
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    missing = {name for name in families if f"`{name}`" not in manual}
    missing |= {alert for alert in re.findall(r"- alert: (\w+)", RULES.read_text()) if alert not in manual}
    assert not missing, f"docs/operations.md says nothing of {missing}"


def test_promtool_accepts_rules_queries_and_metrics(program, repository, tmp_path):
    promtool = find_server("promtool")
    assert promtool, "promtool is not installed (scripts/install-deps --test installs it)"
    queries = [query.replace("$__rate_interval", "5m") for query in dashboard_queries()]
    as_rules = tmp_path / "dashboard.yml"  # JSON is YAML
    as_rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [
        {"record": f"dashboard:query{number}", "expr": query} for number, query in enumerate(queries)]}]}))
    checked([promtool, "check", "rules", str(RULES), str(as_rules)])
    with program.daemon("--repository", repository, "--create", *METRICS) as daemon:
        text = Monitor(daemon).metrics().text
    done = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
