# SPDX-License-Identifier: Apache-2.0
"""Events that MinIO pushes over HTTP with its own notifications (`make check-servers`)."""
import pytest

from support.minio import Minio
from support.process import find_server, free_port
from support.webhook import EVENTS, SECRET, WebhookStage, listed, put_odd, settled


class MinioStage(WebhookStage):
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
    stage = MinioStage(server, tmp_path)
    with stage.view:
        with stage.daemon(listen=listen) as daemon:
            settled(stage, daemon)
            stage.notify()
            left = put_odd(stage, daemon, packages, odd_packages)
            assert not daemon.messages("webhook refused")
        assert stage.stored() == 0
        # While nobody listens MinIO keeps the events, and sends them when somebody does.
        stage.put(packages[4])
        with stage.daemon(listen=listen, log_name="again.log") as again:
            listed(stage, again, left + [packages[4]])
            stage.delete(packages[4].name)
            listed(stage, again, left)
        assert SECRET not in daemon.log_file.read_text() + again.log_file.read_text()
