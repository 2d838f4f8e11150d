# SPDX-License-Identifier: Apache-2.0
"""boto3 clients of the test servers, and the set-up that an administrator does once: queues and notifications."""
import dataclasses
import functools
import json
from dataclasses import dataclass

import boto3
from botocore.config import Config


@dataclass(frozen=True)
class Endpoint:
    url: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    session_token: str | None = None

    @functools.cache
    def client(self, service):
        """One for all who ask, from any thread: making it costs more than its first hundred requests."""
        config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required",
                        retries={"max_attempts": 2}, max_pool_connections=64)
        return boto3.session.Session().client(
            service, endpoint_url=self.url, region_name=self.region, aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key, aws_session_token=self.session_token, config=config)

    def environment(self):
        """How a user tells the program about this endpoint."""
        token = {"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {}
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "AWS_REGION": self.region, "AWS_ENDPOINT_URL": self.url} | token

    def with_secret(self, secret_key):
        return dataclasses.replace(self, secret_key=secret_key)

    def with_region(self, region):
        return dataclasses.replace(self, region=region)


def make_queue(endpoint, name, **attributes):
    """Returns the queue's URL and ARN."""
    sqs = endpoint.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def notify_queues(endpoint, bucket, events_by_arn):
    """Has the bucket tell each queue about some kinds of events, as `aws s3api put-bucket-notification-configuration`."""
    endpoint.client("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [
            {"QueueArn": arn, "Events": list(events)} for arn, events in events_by_arn.items()]})


def queue_depth(endpoint, url):
    """Messages waiting and in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = endpoint.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def keys(endpoint, bucket, prefix=""):
    pages = endpoint.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def read_object(endpoint, bucket, key):
    return endpoint.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def s3_event(bucket, key, name="ObjectCreated:Put"):
    """The body of a notification as S3 writes it; `key` as it stands in the message, form-encoded."""
    return {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
                         "eventTime": "2026-01-01T00:00:00.000Z", "eventName": name,
                         "s3": {"s3SchemaVersion": "1.0", "configurationId": "test",
                                "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                                "object": {"key": key, "size": 1, "eTag": "0", "sequencer": "0055AED6DCD90281E5"}}}]}


def sns_envelope(body):
    return {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:us-east-1:123456789012:topic",
            "Subject": "Amazon S3 Notification", "Message": json.dumps(body), "Timestamp": "2026-01-01T00:00:00.000Z",
            "SignatureVersion": "1", "Signature": "-", "SigningCertURL": "-", "UnsubscribeURL": "-"}


def eventbridge_event(bucket, key, kind="Object Created"):
    """As EventBridge writes it: the key is not encoded."""
    return {"version": "0", "id": "1", "detail-type": kind, "source": "aws.s3", "account": "123456789012",
            "time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": [f"arn:aws:s3:::{bucket}"],
            "detail": {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1, "etag": "0"},
                       "request-id": "1", "requester": "123456789012", "reason": "PutObject"}}


def bucket_test_event(bucket):
    return {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-01-01T00:00:00.000Z", "Bucket": bucket,
            "RequestId": "1", "HostId": "1"}
