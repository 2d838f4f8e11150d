# SPDX-License-Identifier: Apache-2.0
"""A bucket of Ceph, queues of local-aws-sqs, and the program as a user of both; the test writes the notifications that
S3 would send."""
import copy
import itertools
import json
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from support import aws
from support.churn import Churn
from support.program import Program
from support.servers import serve_bucket

NUMBERS = itertools.count(1)
SENDERS = 4  # at the same time


class QueueStage:
    def __init__(self, rgw, sqs, home):
        self.rgw, self.sqs, self.home = rgw.endpoint, sqs, home
        self.s3, self.queues = rgw.endpoint.client("s3"), sqs.endpoint.client("sqs")
        self.bucket = f"queues-{next(NUMBERS)}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.program = Program(home, self.rgw)
        self.views = []

    def at(self, home):
        """The same bucket, with the program in a directory of its own."""
        other = copy.copy(self)
        other.home, other.program = home, Program(home, self.rgw)
        return other

    def queue(self, **attributes):
        """A new queue: its name and URL."""
        name = f"queue-{next(NUMBERS)}"
        return name, aws.make_queue(self.sqs.endpoint, name, **attributes)[0]

    def depth(self, url):
        """Messages waiting and in flight: local-aws-sqs counts both in the first attribute."""
        name = "ApproximateNumberOfMessages"
        return int(self.queues.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])

    def is_empty(self, url):
        """Nothing waits and nothing is in flight; at other servers, too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return not any(int(attributes[name]) for name in names)

    def churn(self, places, packages, queue_url, pause, **options):
        """A stream of changes; the queue is told of each."""
        def put(key, data):
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

        def delete(key):
            self.s3.delete_object(Bucket=self.bucket, Key=key)

        def tell(key):
            event = aws.s3_event(self.bucket, urllib.parse.quote_plus(key))
            self.queues.send_message(QueueUrl=queue_url, MessageBody=json.dumps(event))

        return Churn(places, packages, put, delete, tell, pause, **options)

    def put(self, path, prefix, href=None):
        self.s3.put_object(Bucket=self.bucket, Key=f"{prefix}/{href or path.name}", Body=path.read_bytes())

    def event(self, prefix, href, bucket=None):
        return json.dumps(aws.s3_event(bucket or self.bucket, f"{prefix}/{href}"))

    def send(self, url, bodies):
        """In batches of ten, several at the same time."""
        def send_batch(start):
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[start:start + 10])]
            assert not self.queues.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")

        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(send_batch, range(0, len(bodies), 10)))

    def view(self, prefix):
        view = serve_bucket(self.rgw, self.bucket, f"{prefix}/")
        view.__enter__()
        self.views.append(view)
        return view.url

    def public_url(self, prefix):
        """The repository's address in the store itself, for clients that sign nothing."""
        statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"],
                     "Resource": [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"]}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        return f"{self.rgw.url}/{self.bucket}/{prefix}"

    def close(self):
        for view in self.views:
            view.__exit__()

    def daemon(self, queues, urls, daemon=(), quiet="300ms", max_age="10s", poll="0", through=(),
               repository=(), **options):
        """`through`: addresses that stand for the store's and the queue's, of relays. `repository`: more lines of each."""
        s3_url, sqs_url = through or (self.rgw.url, self.sqs.endpoint.url)
        lines = ["[aws]", f's3_endpoint = "{s3_url}"', f'sqs_endpoint = "{sqs_url}"', "[daemon]",
                 'retry_ceiling = "1s"', *daemon]
        for name in queues:
            lines += ["[[queue]]", f'name = "{name}"']
        for url in urls:
            lines += ["[[repository]]", f'url = "{url}"', "create = true", f'quiet = "{quiet}"', f'max_age = "{max_age}"',
                      f'poll = "{poll}"', *repository]
        config = self.home / f"{'-'.join(queues)}.toml"
        config.write_text("\n".join(lines) + "\n")
        return self.program.daemon("--config", config, **options)

    def url(self, prefix):
        return f"s3://{self.bucket}/{prefix}"
