# SPDX-License-Identifier: Apache-2.0
"""The daemon with no more rights than it needs: the IAM policy of packaging/aws at a server that enforces it, the systemd
unit of packaging/systemd, and secrets that stay where they belong."""
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from support import aws, metadata
from support.checks import nevras, published
from support.gpg import Keyring
from support.process import Server, checked, free_port, wait_until
from support.program import LEAKS_UNSEEN, Program, binary
from support.servers import Moto
from support.stage import Stage

ROOT = Path(__file__).resolve().parents[1]
POLICY = json.loads((ROOT / "packaging/aws/policy.json").read_text())
UNIT = ROOT / "packaging/systemd/repoupdate.service.in"
CONFINE = ROOT / "tests/support/confine.py"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
SWEEPING = ['sweep = "1s"']  # so that the daemon sweeps before the test is over
EXPOSURE_LIMIT = 15  # tenths, of systemd-analyze security: 0 is safest, 100 is unsafe


def as_list(value):
    return value if isinstance(value, list) else [value]


def actions(policy):
    return sorted({action for statement in policy["Statement"] for action in as_list(statement["Action"])})


def pairs(policy):
    return {(action, resource) for statement in policy["Statement"] for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])}


def without(policy, action):
    statements = [statement | {"Action": [kept for kept in as_list(statement["Action"]) if kept != action]}
                  for statement in policy["Statement"]]
    return policy | {"Statement": [statement for statement in statements if statement["Action"]]}


class Guarded:
    """A moto that enforces policies, an administrator, and a role for the daemon."""

    def __init__(self, directory):
        directory.mkdir()
        self.moto = Moto(directory)
        for role, policy in (("admin", EVERYTHING), ("daemon", EVERYTHING)):
            iam = self.moto.endpoint.client("iam")
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
            iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(policy))
        self.endpoint, self.daemon = self._assume("admin"), self._assume("daemon")
        request = urllib.request.Request(f"{self.moto.endpoint.url}/moto-api/reset-auth", data=b"0",
                                         headers={"Content-Type": "text/plain"})
        urllib.request.urlopen(request, timeout=10).close()

    def _assume(self, role):
        made = self.moto.endpoint.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::123456789012:role/{role}", RoleSessionName=role)["Credentials"]
        return aws.Endpoint(self.moto.endpoint.url, made["AccessKeyId"], made["SecretAccessKey"],
                            session_token=made["SessionToken"])

    def allow(self, policy):
        """From now on the daemon may do what the policy says, and nothing else."""
        self.endpoint.client("iam").put_role_policy(RoleName="daemon", PolicyName="own",
                                                    PolicyDocument=json.dumps(policy))


class GuardedStage(Stage):
    """A bucket that notifies a queue, and the program as the daemon's role."""

    def __init__(self, guarded, home):
        super().__init__(guarded, home)
        self.guarded, self.queue = guarded, f"queue-{self.bucket}"
        self.queue_url, arn = aws.make_queue(self.endpoint, self.queue)
        self.queue_arn = arn
        aws.notify_queues(self.endpoint, self.bucket, {arn: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]})
        self.init()  # as the administrator, who makes repositories
        self.program = Program(home, guarded.daemon)

    def allow(self, policy):
        text = json.dumps(policy).replace("arn:aws:s3:::my-packages", f"arn:aws:s3:::{self.bucket}")
        text = re.sub(r"arn:aws:sqs:[^\"]*", self.queue_arn, text)
        self.guarded.allow(json.loads(text))

    def daemon(self, *more, quiet="300ms", repository=(), **options):
        """`repository`: more lines of its settings."""
        config = self.home / "repoupdate.toml"
        config.write_text(f'[daemon]\nvisibility = "10s"\n[[queue]]\nname = "{self.queue}"\n'
                          f'[[repository]]\nurl = "{self.url}"\nquiet = "{quiet}"\n' + "\n".join(repository))
        return self.program.daemon("--config", config, *more, **options)

    def wait_for(self, daemon, paths):
        wanted = sorted(path.name for path in paths)
        daemon.wait_until(lambda: published(self.view.url) == wanted, 60, f"the metadata to list {wanted}")

    def acknowledged(self):
        return aws.queue_depth(self.endpoint, self.queue_url) == 0


@pytest.fixture(scope="module")
def guarded(session_directory):
    guarded = Guarded(session_directory / "guarded")
    yield guarded
    guarded.moto.stop()


@pytest.fixture
def stage(guarded, tmp_path):
    stage = GuardedStage(guarded, tmp_path)
    with stage.view:
        yield stage
    guarded.allow(EVERYTHING)


# ---- the IAM policy ------------------------------------------------------------------------------------------

def test_the_policy_of_the_readme_is_in_the_file():
    text = (ROOT / "README.md").read_text()
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.S) if '"s3:GetObject"' in block]
    assert len(shown) == 1
    assert pairs(shown[0]) <= pairs(POLICY)


def test_the_server_enforces_policies(stage):
    """Else nothing below proves anything."""
    stage.allow(without(POLICY, "s3:GetObject"))
    with pytest.raises(Exception, match="403|Forbidden|AccessDenied"):
        stage.guarded.daemon.client("s3").get_object(Bucket=stage.bucket, Key=f"{stage.prefix}repodata/repomd.xml")
    with pytest.raises(Exception, match="AccessDenied"):
        stage.guarded.daemon.client("s3").put_object(Bucket=stage.bucket, Key=f"{stage.prefix}x.rpm", Body=b"x")


def test_the_daemon_works_with_the_documented_policy(stage, packages):
    stage.allow(POLICY)
    with stage.daemon(repository=SWEEPING) as daemon:
        for path in packages[:3]:
            stage.put(path)
        stage.wait_for(daemon, packages[:3])
        stage.delete(packages[0].name)
        stage.wait_for(daemon, packages[1:3])
        daemon.wait_until(stage.acknowledged, 60, "every message to be acknowledged")
        assert not [line for line in daemon.lines() if line["level"] in ("warning", "error")]
    assert metadata.verify(stage.view.url).nevras() == nevras(packages[1:3])
    assert not [key for key in stage.keys() if "/.repoupdate/probe" in key]


def denied(daemon, action):
    """That the log names the missing right, whether the daemon goes on or ends."""
    text = daemon.server.output()
    return f"may {action}" in text


# What an action that is taken away does instead of failing a request that matters.
QUIET = {
    "s3:AbortMultipartUpload": "only cleans up after an upload in parts that failed, of more than 64 MiB",
    "sqs:GetQueueAttributes": "may be left out: then the daemon does not know of a dead-letter queue",
    "s3:DeleteObject": "only cleans up: the probe of a store that is not AWS, and superseded metadata",
}


@pytest.mark.parametrize("action", [action for action in actions(POLICY) if action not in QUIET])
def test_without_an_action_the_daemon_fails_and_names_it(stage, packages, action):
    stage.allow(without(POLICY, action))
    # A message that waits for longer than its visibility lasts has to be hidden for longer.
    daemon = stage.daemon(quiet="9s" if action == "sqs:ChangeMessageVisibility" else "300ms", repository=SWEEPING)
    daemon.launch()
    try:
        stage.put(packages[0])
        wait_until(lambda: denied(daemon, action), 60, lambda: f"{action} to be named:\n{daemon.server.output()[-4000:]}")
    finally:
        daemon.server.kill()


def test_without_the_right_to_delete_the_probe_stays_behind(stage, packages):
    for policy, stays in ((without(POLICY, "s3:DeleteObject"), True), (POLICY, False)):
        stage.allow(policy)
        for key in stage.keys():
            if ".repoupdate/" in key:
                stage.delete(key)
        for path in stage.home.glob("**/repoupdate-store-*"):
            path.unlink()  # what is known of the store
        with stage.daemon(log_name=f"daemon-{stays}.log") as daemon:
            stage.put(packages[int(stays)])
            daemon.wait_until(lambda: packages[int(stays)].name in (published(stage.view.url) or []), 60, "a publication")
        assert bool([key for key in stage.keys() if ".repoupdate/" in key]) == stays


def test_without_the_list_of_uploads_the_sweep_goes_on_and_says_so_once(stage, packages):
    stage.allow(without(POLICY, "s3:ListBucketMultipartUploads"))
    refused = "cannot remove uploads that never ended"
    with stage.daemon(repository=SWEEPING) as daemon:
        for number in range(3):
            stage.put(packages[number])
            stage.wait_for(daemon, packages[:number + 1])
            time.sleep(1.5)  # a sweep
        daemon.wait_for_message(refused)
        assert len(daemon.messages(refused)) == 1 and not daemon.messages("cannot sweep")


def test_without_the_attributes_of_the_queue_all_goes_on(stage, packages):
    stage.allow(without(POLICY, "sqs:GetQueueAttributes"))
    with stage.daemon() as daemon:
        stage.put(packages[0])
        stage.wait_for(daemon, packages[:1])
        daemon.wait_until(stage.acknowledged, 60, "every message to be acknowledged")


# ---- the systemd unit ----------------------------------------------------------------------------------------

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@pytest.fixture
def unit(tmp_path):
    path = tmp_path / "repoupdate.service"
    text = UNIT.read_text()
    assert text.count("@CMAKE_INSTALL_FULL_BINDIR@/repoupdate") == 1
    path.write_text(text.replace("@CMAKE_INSTALL_FULL_BINDIR@/repoupdate", str(binary())))
    return path


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_the_unit_leaves_little_exposed(unit):
    checked(["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE_LIMIT}", str(unit)])


@needs_systemd
def test_the_daemon_runs_under_the_filters_of_the_unit(unit, program, packages, tmp_path):
    """A directory with inotify and a webhook with its SQLite file; a call that is not allowed ends the daemon."""
    repository = tmp_path / "repository"
    program.run("init", repository)
    port = free_port()
    environment = {"REPOUPDATE_WEBHOOK_SECRET": "s", "REPOUPDATE_WEBHOOK_FILE": str(tmp_path / "events.sqlite")}
    confined = Program(tmp_path, extra=environment | LEAKS_UNSEEN)
    prefix = (sys.executable, CONFINE, unit)
    with confined.daemon("--repository", repository, "--webhook", f"127.0.0.1:{port}", prefix=prefix) as daemon:
        for path in packages[:3]:
            shutil.copy(path, repository)
        daemon.wait_until(lambda: published(repository) == sorted(path.name for path in packages[:3]), 60, "3 packages")
        (repository / packages[0].name).unlink()
        daemon.wait_until(lambda: published(repository) == sorted(path.name for path in packages[1:3]), 60, "2 packages")
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10).close()


@needs_systemd
def test_the_daemon_serves_a_bucket_under_the_filters_of_the_unit(unit, stage, packages):
    stage.allow(POLICY)
    stage.program = Program(stage.home, stage.guarded.daemon, extra=LEAKS_UNSEEN)
    with stage.daemon(prefix=(sys.executable, CONFINE, unit)) as daemon:
        for path in packages[:3]:
            stage.put(path)
        stage.wait_for(daemon, packages[:3])
        daemon.wait_until(stage.acknowledged, 60, "every message to be acknowledged")


@needs_systemd
def test_the_filters_hold(unit):
    """Else the two before prove nothing."""
    for command in (["/bin/chown", "root", "/"], [sys.executable, "-c", "import mmap; mmap.mmap(-1, 4096, prot=7)"]):
        done = subprocess.run([sys.executable, CONFINE, unit, *command], capture_output=True, timeout=60)
        assert done.returncode == -31, done  # SIGSYS


# ---- secrets -------------------------------------------------------------------------------------------------

def command_lines():
    """Of every process there is."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def ask(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.read().decode()


def test_secrets_stay_out_of_logs_metrics_command_lines_and_the_bucket(stage, packages, tmp_path):
    """Keys by credential_process, so that there is a child; a webhook; a signing key with a passphrase; and everything
    that debug says."""
    stage.allow(POLICY)
    role, webhook_secret = stage.guarded.daemon, "webhook-secret-of-this-test"
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"Version": 1, "AccessKeyId": role.access_key, "SecretAccessKey": role.secret_key,
                                  "SessionToken": role.session_token}))
    (tmp_path / "aws").write_text(f"[default]\nregion = us-east-1\ncredential_process = sh -c 'sleep 0.3; cat {answer}'\n")
    secret_file = tmp_path / "webhook-secret"
    secret_file.write_text(webhook_secret)
    stage.program = Program(tmp_path, extra={
        "AWS_CONFIG_FILE": str(tmp_path / "aws"), "AWS_ENDPOINT_URL": role.url,
        "REPOUPDATE_WEBHOOK_SECRET_FILE": str(secret_file), "REPOUPDATE_WEBHOOK_FILE": str(tmp_path / "events.sqlite"),
        "REPOUPDATE_LOG_LEVEL": "debug"})
    with Keyring() as keyring:
        passphrase = "passphrase-of-this-test"
        signing_key = keyring.secret_key(keyring.make_key("packages", passphrase), passphrase)
    for name, text in (("passphrase", passphrase), ("signing.sec", signing_key)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    secrets = [role.secret_key, role.session_token, webhook_secret, passphrase, *signing_key.splitlines()[12:20]]  # behind its public half
    port, metrics_port = free_port(), free_port()
    daemon = stage.daemon("--webhook", f"127.0.0.1:{port}", "--metrics", f"127.0.0.1:{metrics_port}", repository=[
        f'sign_key_file = "{tmp_path / "signing.sec"}"', f'sign_passphrase_file = "{tmp_path / "passphrase"}"'])
    daemon.launch()
    seen = set()
    try:
        def has_child():
            seen.update(command_lines())
            return any("sleep 0.3" in line for line in seen)

        daemon.wait_until(has_child, 60, "the child that knows the keys")
        daemon.wait_for_message("ready")
        for token in (webhook_secret, "wrong-" + webhook_secret):
            request = urllib.request.Request(f"http://127.0.0.1:{port}/events?token={token}", data=b"{}", method="POST")
            try:
                urllib.request.urlopen(request, timeout=10).close()
            except urllib.error.HTTPError:
                pass
        stage.put(packages[0])
        stage.wait_for(daemon, packages[:1])
        # And where requests are refused, with what is said about it.
        stage.allow(without(POLICY, "s3:PutObject"))
        stage.put(packages[1])
        daemon.wait_until(lambda: denied(daemon, "s3:PutObject"), 60, "the failure to be told")
        seen.update(command_lines())
        told = {path: ask(f"http://127.0.0.1:{metrics_port}/{path}") for path in ("metrics", "healthz", "readyz")}
    finally:
        daemon.server.kill()
    assert f"{stage.prefix}repodata/repomd.xml.asc" in aws.keys(stage.endpoint, stage.bucket), "nothing was signed"
    places = told | {"the log": daemon.server.output(), "a command line": "\n".join(seen)}
    for key in aws.keys(stage.endpoint, stage.bucket):
        places[key] = key + aws.read_object(stage.endpoint, stage.bucket, key).decode("latin-1")
    for name, text in places.items():
        assert not [secret for secret in secrets if secret in text], f"a secret is in {name}"


@pytest.mark.parametrize("address", ["8042", ":8042", "[]:8042"])
def test_nothing_listens_everywhere_unless_told(program, tmp_path, address):
    """A port alone is no address: who wants all of them has to write 0.0.0.0 or [::]."""
    done = program.start("daemon", "--repository", tmp_path, "--webhook", address, timeout=30)
    assert done.code != 0 and "HOST:PORT" in done.stderr, done
