# SPDX-License-Identifier: Apache-2.0
"""moto's S3, SQS, SNS and EventBridge on a loopback port, behind a strict Signature Version 4 check.

    python strict_moto.py PORT_FILE [--read-only ACCESS_KEY] [--conditions ignored|refused] ACCESS_KEY=SECRET...

The port is chosen by the system and written to PORT_FILE once connections are accepted. moto's own check
rebuilds the request line from decoded parts and refuses keys with '+', '^' or non-ASCII letters whatever the
signature; this one works on the raw request line, as AWS does. It also holds bodies against the checksums that
came with them, which moto does not. Keys that moto's STS gives out are good from then on, together with their session
token. Every refusal is a line on standard error. With --conditions it treats the conditions of writes as some stores
do: it does not look at them, or answers 501. GET /make-older/SECONDS lets every object have been put so much earlier.
Source: "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API reference.
"""
import argparse
import base64
import contextlib
import datetime
import hashlib
import hmac
import io
import json
import os
import re
import sys
import threading
import urllib.parse
from dataclasses import dataclass

from moto.iam.access_control import IAMRequestBase
from moto.s3.models import s3_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs.responses import SQSResponse
from werkzeug.serving import make_server

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<day>\d{8})/(?P<region>[^/,]+)/(?P<service>[^/,]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})")
MAX_SKEW = datetime.timedelta(minutes=15)
OPEN_PATHS = ("/moto-api/",)
OLDER_PATH = "/make-older/"
READS = {"GET", "HEAD"}
QUEUE_WRITES = ("SendMessage", "DeleteMessage", "ChangeMessage")
WRITE_CONDITIONS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH")
WEB_IDENTITY = b"Action=AssumeRoleWithWebIdentity&"  # a request that needs no signature


class Refused(Exception):
    def __init__(self, code, message, status="403 Forbidden"):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Request:
    environ: dict
    body: bytes

    @property
    def raw_path(self):
        return self.environ["RAW_URI"].partition("?")[0]

    @property
    def raw_query(self):
        return self.environ["RAW_URI"].partition("?")[2]

    def header(self, name):
        variable = name.upper().replace("-", "_")
        if name.lower() not in ("content-type", "content-length"):
            variable = "HTTP_" + variable
        return self.environ.get(variable)

    def amazon_headers(self):
        return {name[5:].lower().replace("_", "-") for name in self.environ if name.startswith("HTTP_X_AMZ_")}


def read_request(environ):
    if environ.get("wsgi.input_terminated"):
        body = environ["wsgi.input"].read()
    else:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return Request(environ, body)


def encode(raw, safe=""):
    """Decoded and encoded again, so that one spelling is left: A-Za-z0-9-._~ as they are, %XX in capitals."""
    return urllib.parse.quote(urllib.parse.unquote_to_bytes(raw), safe="-._~" + safe)


def canonical_query(raw_query):
    pairs = [item.partition("=") for item in raw_query.split("&") if item]
    return "&".join(sorted(f"{encode(name)}={encode(value)}" for name, _, value in pairs))


def canonical_headers(request, names):
    lines = []
    for name in names:
        value = request.header(name)
        if value is None:
            raise Refused("SignatureDoesNotMatch", f"the signed header {name} was not sent")
        lines.append(f"{name}:{re.sub(' +', ' ', value.strip())}\n")
    return "".join(lines)


def payload_hash(request, service):
    real = hashlib.sha256(request.body).hexdigest()
    if service != "s3":
        return real
    stated = request.header("x-amz-content-sha256")
    if stated is None:
        raise Refused("InvalidRequest", "x-amz-content-sha256 is missing", "400 Bad Request")
    if stated not in (real, "UNSIGNED-PAYLOAD"):
        raise Refused("XAmzContentSHA256Mismatch", "the body has another SHA-256", "400 Bad Request")
    return stated


def canonical_request(request, service, signed_headers):
    path = encode(request.raw_path, "/")
    return "\n".join([
        request.environ["REQUEST_METHOD"],
        path if service == "s3" else encode(path.replace("%", "%25"), "/"),
        canonical_query(request.raw_query),
        canonical_headers(request, signed_headers),
        ";".join(signed_headers),
        payload_hash(request, service),
    ])


def signature(secret, scope, stamp, canonical):
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    # Header values arrive as Latin-1; this gives back the bytes that were sent.
    digest = hashlib.sha256(canonical.encode("latin-1", "replace")).hexdigest()
    return hmac.digest(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()


def check_time(stamp):
    try:
        sent = datetime.datetime.strptime(stamp or "", "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Refused("AccessDenied", f"x-amz-date is not a time: {stamp}") from None
    if abs(datetime.datetime.now(datetime.timezone.utc) - sent) > MAX_SKEW:
        raise Refused("RequestTimeTooSkewed", f"x-amz-date is {stamp}")


def check_signature(request, secrets):
    """Returns the access key that signed, or raises Refused."""
    authorization = AUTHORIZATION.fullmatch(request.header("authorization") or "")
    if not authorization:
        raise Refused("AccessDenied", "no Authorization header, or a malformed one")
    key, stamp = authorization["key"], request.header("x-amz-date")
    if key not in secrets:
        raise Refused("InvalidAccessKeyId", f"no such access key: {key}")
    names = authorization["headers"].split(";")
    if names != sorted(names) or "host" not in names:
        raise Refused("SignatureDoesNotMatch", "SignedHeaders are not sorted, or host is not among them")
    unsigned = request.amazon_headers() - set(names)
    if unsigned:
        raise Refused("AccessDenied", f"headers that were not signed: {', '.join(sorted(unsigned))}")
    check_time(stamp)
    scope = "/".join((authorization["day"], authorization["region"], authorization["service"], "aws4_request"))
    canonical = canonical_request(request, authorization["service"], names)
    if not hmac.compare_digest(signature(secrets[key], scope, stamp, canonical), authorization["signature"]):
        raise Refused("SignatureDoesNotMatch", "the canonical request here is\n" + canonical)
    return key


def check_body(request):
    for header, digest in (("content-md5", hashlib.md5), ("x-amz-checksum-sha256", hashlib.sha256)):
        stated = request.header(header)
        if stated is not None and stated != base64.b64encode(digest(request.body).digest()).decode():
            raise Refused("BadDigest", f"{header} does not match the body", "400 Bad Request")


class Sessions:
    """The temporary keys that STS gave out, and the token of each."""

    def __init__(self, secrets):
        self.secrets, self.tokens = secrets, {}

    def learn(self, answer):
        """Looks for credentials in a piece of an answer of moto's."""
        found = re.search(rb"<Credentials>(.*?)</Credentials>", answer, re.S)
        if found:
            entry = {name: re.search(rf"<{name}>(.*?)</{name}>".encode(), found[1], re.S)[1].decode().strip()
                     for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
            self.tokens[entry["AccessKeyId"]] = entry["SessionToken"]
            self.secrets[entry["AccessKeyId"]] = entry["SecretAccessKey"]

    def check(self, request, key):
        if self.tokens.get(key) != request.header("x-amz-security-token"):
            raise Refused("InvalidToken", f"not the session token of {key}", "400 Bad Request")


def make_older(seconds):
    for account in s3_backends.values():
        for backend in account.values():
            for bucket in backend.buckets.values():
                for key in bucket.keys.values():
                    key.last_modified -= datetime.timedelta(seconds=seconds)


def is_write(request):
    """Of S3, or to a queue; ReceiveMessage may wait for long."""
    target = request.header("x-amz-target")
    if target is not None:
        return target.split(".")[-1].startswith(QUEUE_WRITES)
    return request.environ["REQUEST_METHOD"] not in READS


class StrictServer:
    """The WSGI application: refuses, or passes on to moto.

    Writes take turns. Those of AWS are atomic; moto looks at a condition and then writes, and makes a queue's list anew
    without what is deleted: of two at the same time both may succeed, and one of them be lost."""

    def __init__(self, application, secrets, read_only, conditions=None):
        self.application, self.secrets, self.read_only = application, secrets, read_only
        self.turn = threading.Lock()
        self.conditions = conditions
        self.sessions = Sessions(secrets)

    def __call__(self, environ, start_response):
        if environ["RAW_URI"].startswith(OLDER_PATH):
            make_older(int(environ["RAW_URI"].removeprefix(OLDER_PATH)))
            start_response("200 OK", [("Content-Length", "0")])
            return [b""]
        if environ["RAW_URI"].startswith(OPEN_PATHS):
            return self.application(environ, start_response)
        request = read_request(environ)
        try:
            if request.body.startswith(WEB_IDENTITY):
                return self.ask_sts(environ, start_response)
            key = check_signature(request, self.secrets)
            self.sessions.check(request, key)
            check_body(request)
            if key == self.read_only and environ["REQUEST_METHOD"] not in READS:
                raise Refused("AccessDenied", f"{key} may only read")
            if self.conditions and environ["REQUEST_METHOD"] not in READS:
                self.drop_conditions(environ)
        except Refused as refused:
            return self.refuse(request, refused, start_response)
        if "/sts/aws4_request" in request.header("authorization"):
            return self.ask_sts(environ, start_response)
        with self.turn if is_write(request) else contextlib.nullcontext():
            return self.application(environ, start_response)

    def drop_conditions(self, environ):
        found = [environ.pop(name) for name in WRITE_CONDITIONS if name in environ]
        if found and self.conditions == "refused":
            raise Refused("NotImplemented", "conditions of writes are not implemented", "501 Not Implemented")

    def ask_sts(self, environ, start_response):
        answer = list(self.application(environ, start_response))
        self.sessions.learn(b"".join(answer))
        return answer

    def refuse(self, request, refused, start_response):
        method, uri = request.environ["REQUEST_METHOD"], request.environ["RAW_URI"]
        print(f"refused {method} {uri}: {refused.code}: {refused.message}", file=sys.stderr, flush=True)
        message = refused.message.splitlines()[0]
        if request.header("x-amz-target"):
            kind = "application/x-amz-json-1.0"
            body = json.dumps({"__type": f"com.amazon.coral.service#{refused.code}", "message": message})
        else:
            kind = "application/xml"
            body = f"<Error><Code>{refused.code}</Code><Message>{message}</Message></Error>"
        body = body.encode()
        start_response(refused.status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [b"" if method == "HEAD" else body]


def enforce_policies_as_aws():
    """For moto's check of policies, which POST /moto-api/reset-auth with the body 0 switches on: the signature has been
    looked at by then, what SQS does in batches takes the right to do it once, and who asks for a queue by its name asks
    for that queue."""
    begin = IAMRequestBase.__init__

    def begin_single(request, *arguments, **named):
        begin(request, *arguments, **named)
        request._action = request._action.removesuffix("Batch")

    IAMRequestBase.__init__ = begin_single
    IAMRequestBase.check_signature = lambda request: None

    name_of_queue = SQSResponse._get_queue_name
    SQSResponse._get_queue_name = lambda response: response._get_param("QueueName") or name_of_queue(response)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("port_file")
    arguments.add_argument("--read-only")
    arguments.add_argument("--conditions", choices=("ignored", "refused"))
    arguments.add_argument("secrets", nargs="+")
    options = arguments.parse_args()
    secrets = dict(item.split("=", 1) for item in options.secrets)
    enforce_policies_as_aws()
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, StrictServer(moto, secrets, options.read_only, options.conditions),
                         threaded=True)
    os.environ["MOTO_PORT"] = str(server.server_port)
    with open(options.port_file + ".new", "w") as file:
        file.write(str(server.server_port))
    os.rename(options.port_file + ".new", options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
