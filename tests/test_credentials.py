# SPDX-License-Identifier: Apache-2.0
"""Every way to get credentials that a server on this machine can play: the program reads the user's AWS files and
environment, fetches what they point to, and what it then signs has to be accepted."""
import functools
import hashlib
import http.server
import itertools
import json
import urllib.parse

import pytest

from support import aws
from support.checks import published
from support.program import Exit, Program
from support.servers import HttpServer, serve_bucket

NUMBERS = itertools.count(1)
ROLE = "arn:aws:iam::123456789012:role/publisher"
FAR = "2100-01-01T00:00:00Z"
FAR_MILLISECONDS = 4102444800000
CONTAINER_TOKEN, INSTANCE_TOKEN, PORTAL_TOKEN = "container+token/=", "instance-token", "portal-token"
START_URL = "https://example.awsapps.com/start"


class MetadataHandler(http.server.BaseHTTPRequestHandler):
    """The endpoint of a container, the metadata service of an instance (version 2) and the portal of single sign-on,
    in one: all give out the keys of `endpoint`, to whoever has the right token."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments, endpoint):
        self.endpoint = endpoint
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def answer(self, status, body=""):
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def with_token(self, header, token, body):
        self.answer(200, body) if self.headers[header] == token else self.answer(401)

    def do_PUT(self):
        wanted = self.path == "/latest/api/token" and self.headers["x-aws-ec2-metadata-token-ttl-seconds"]
        self.answer(200, INSTANCE_TOKEN) if wanted else self.answer(400)

    def do_GET(self):
        keys = {"AccessKeyId": self.endpoint.access_key, "SecretAccessKey": self.endpoint.secret_key, "Expiration": FAR}
        portal = {"accessKeyId": self.endpoint.access_key, "secretAccessKey": self.endpoint.secret_key,
                  "sessionToken": "", "expiration": FAR_MILLISECONDS}
        role = "/latest/meta-data/iam/security-credentials/"
        path, _, query = self.path.partition("?")
        if path == "/container":
            self.with_token("authorization", CONTAINER_TOKEN, keys)
        elif path == role:
            self.with_token("x-aws-ec2-metadata-token", INSTANCE_TOKEN, "publisher")
        elif path == role + "publisher":
            self.with_token("x-aws-ec2-metadata-token", INSTANCE_TOKEN, {"Code": "Success"} | keys)
        elif path == "/federation/credentials":
            assert urllib.parse.parse_qs(query) == {"account_id": ["123456789012"], "role_name": ["publisher"]}
            self.with_token("x-amz-sso_bearer_token", PORTAL_TOKEN, {"roleCredentials": portal})
        else:
            self.answer(404)


@pytest.fixture(scope="module")
def metadata_url(moto):
    with HttpServer(functools.partial(MetadataHandler, endpoint=moto.endpoint)) as server:
        yield server.url


class Stage:
    """A bucket, and a user who has no credentials in the environment."""

    def __init__(self, moto, home, packages):
        self.endpoint, self.home, self.packages = moto.endpoint, home, packages
        self.bucket = f"credentials-{next(NUMBERS)}"
        self.url = f"s3://{self.bucket}/repo"
        self.endpoint.client("s3").create_bucket(Bucket=self.bucket)
        (home / ".aws/sso/cache").mkdir(parents=True)

    def write(self, name, *lines):
        path = self.home / ".aws" / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def process(self, text):
        """A script that stands for somebody's own way to credentials."""
        path = self.write("process", "#!/bin/sh", text)
        path.chmod(0o700)
        return path

    def keys(self):
        return [f"aws_access_key_id = {self.endpoint.access_key}", f"aws_secret_access_key = {self.endpoint.secret_key}"]

    def start(self, **variables):
        known = {"AWS_REGION": self.endpoint.region, "AWS_ENDPOINT_URL": self.endpoint.url}
        return Program(self.home, extra=known | variables).start(
            "add", self.url, self.packages[0], "--create", "--log-level", "debug")

    def publishes(self, **variables):
        done = self.start(**variables).expect(Exit.DONE)
        with serve_bucket(self.endpoint, self.bucket, "repo/") as view:
            assert published(view.url) == [self.packages[0].name]
        self.keeps_secrets(done)

    def is_denied(self, *said, **variables):
        self.keeps_secrets(self.start(**variables).expect(Exit.DENIED, *said))

    def keeps_secrets(self, done):
        assert "request" in done.stderr or done.code, "the debug log is wanted: secrets must not be in it either"
        for secret in (self.endpoint.secret_key, CONTAINER_TOKEN, INSTANCE_TOKEN, PORTAL_TOKEN):
            assert secret not in done.stdout + done.stderr, done


@pytest.fixture
def stage(moto, tmp_path, packages):
    return Stage(moto, tmp_path, packages)


def test_role_is_assumed_with_the_keys_of_another_profile(stage):
    stage.write("config", "[profile ci]", f"role_arn = {ROLE}", "source_profile = base", "external_id = x+y",
                "duration_seconds = 900")
    stage.write("credentials", "[base]", *stage.keys())
    stage.publishes(AWS_PROFILE="ci")


def test_roles_are_chained_and_the_endpoint_may_stand_in_the_profile(stage):
    stage.write("config", "[profile ci]", f"role_arn = {ROLE}", "source_profile = middle", "services = local",
                f"region = {stage.endpoint.region}",
                "[profile middle]", f"role_arn = {ROLE}-middle", "source_profile = base",
                "[services local]",
                *(f"{service} =\n  endpoint_url = {stage.endpoint.url}" for service in ("s3", "sts")))
    stage.write("credentials", "[base]", *stage.keys())
    stage.publishes(AWS_PROFILE="ci", AWS_ENDPOINT_URL="", AWS_REGION="")


def test_role_that_the_keys_do_not_open_is_named(stage):
    stage.write("config", "[profile ci]", f"role_arn = {ROLE}", "source_profile = ci",
                f"aws_access_key_id = {stage.endpoint.access_key}", "aws_secret_access_key = wrong-secret")
    stage.is_denied("'ci'", ROLE, "SignatureDoesNotMatch", AWS_PROFILE="ci")


def test_web_identity_of_a_pod(stage):
    token = stage.write("token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwb2QifQ.")
    stage.publishes(AWS_WEB_IDENTITY_TOKEN_FILE=str(token), AWS_ROLE_ARN=ROLE, AWS_ROLE_SESSION_NAME="pod-1")
    stage.is_denied("AWS_WEB_IDENTITY_TOKEN_FILE", AWS_WEB_IDENTITY_TOKEN_FILE="/does/not/exist", AWS_ROLE_ARN=ROLE)


def test_process(stage):
    process = stage.process(
        f"""printf '{{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s","Expiration":"{FAR}"}}' """
        f"'{stage.endpoint.access_key}' \"$1\"")
    stage.write("config", "[default]", f"credential_process = {process} '{stage.endpoint.secret_key}'")
    stage.publishes()


def test_process_that_fails_is_named_and_not_quoted(stage):
    process = stage.process(f"echo '{stage.endpoint.secret_key}'; echo '{stage.endpoint.secret_key}' >&2; exit 7")
    stage.write("config", "[profile own]", f"credential_process = {process} '{stage.endpoint.secret_key}'")
    stage.is_denied("'own'", "credential_process", "exit code 7", AWS_PROFILE="own")


def test_container(stage, metadata_url):
    token = stage.write("token", CONTAINER_TOKEN)
    url = f"{metadata_url}/container"
    stage.publishes(AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token))
    stage.is_denied("container", AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_CONTAINER_AUTHORIZATION_TOKEN="wrong")


def test_instance(stage, metadata_url):
    stage.publishes(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata_url)


def test_instance_as_the_source_of_a_role(stage, metadata_url):
    stage.write("config", "[profile ci]", f"role_arn = {ROLE}", "credential_source = Ec2InstanceMetadata")
    stage.publishes(AWS_PROFILE="ci", AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata_url)


def test_single_sign_on(stage, metadata_url):
    stage.write("config", "[profile dev]", "sso_session = corp", "sso_account_id = 123456789012",
                "sso_role_name = publisher",
                "[sso-session corp]", f"sso_start_url = {START_URL}", "sso_region = eu-west-1")
    variables = {"AWS_PROFILE": "dev", "AWS_ENDPOINT_URL_SSO": metadata_url}
    cache = f"sso/cache/{hashlib.sha1(b'corp').hexdigest()}.json"
    stage.is_denied("aws sso login", **variables)
    stage.write(cache, json.dumps({"accessToken": PORTAL_TOKEN, "expiresAt": "2020-01-01T00:00:00Z"}))
    stage.is_denied("aws sso login", "2020-01-01T00:00:00Z", **variables)
    stage.write(cache, json.dumps({"accessToken": PORTAL_TOKEN, "expiresAt": FAR}))
    stage.publishes(**variables)


def test_nothing_is_there_and_every_place_is_named(stage):
    stage.is_denied("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "'default'", "instance metadata")


def test_queue_and_bucket_are_reached_with_the_role(stage):
    """The daemon: SQS takes the session's token as well."""
    stage.write("config", "[profile ci]", f"role_arn = {ROLE}", "source_profile = base")
    stage.write("credentials", "[base]", *stage.keys())
    url, arn = aws.make_queue(stage.endpoint, stage.bucket)
    aws.notify_queues(stage.endpoint, stage.bucket, {arn: ["s3:ObjectCreated:*"]})
    config = stage.home / "repoupdate.toml"
    config.write_text(f'[aws]\nprofile = "ci"\nregion = "{stage.endpoint.region}"\nendpoint = "{stage.endpoint.url}"\n'
                      f'[[queue]]\nname = "{stage.bucket}"\n[[repository]]\nurl = "{stage.url}"\ncreate = true\n'
                      'quiet = "300ms"\n')
    # The role of the settings' profile goes before keys of the environment, which are wrong.
    program = Program(stage.home, extra={"AWS_ENDPOINT_URL_STS": stage.endpoint.url, "AWS_ACCESS_KEY_ID": "AKIDWRONG",
                                         "AWS_SECRET_ACCESS_KEY": "wrong"})
    with program.daemon("--config", config) as daemon, serve_bucket(stage.endpoint, stage.bucket, "repo/") as view:
        package = stage.packages[0]
        stage.endpoint.client("s3").put_object(Bucket=stage.bucket, Key=f"repo/{package.name}",
                                               Body=package.read_bytes())
        daemon.wait_until(lambda: published(view.url) == [package.name], 90, "the package to be published")
        daemon.wait_until(lambda: not aws.queue_depth(stage.endpoint, url), 60, "the message to be acknowledged")
