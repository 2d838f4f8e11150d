# SPDX-License-Identifier: Apache-2.0
"""A bucket whose store pushes events to the daemon's webhook, and what such a test awaits."""
import contextlib
import re
import sqlite3

from support import metadata
from support.checks import nevras, published
from support.scrape import fetch
from support.stage import NUMBERS, Stage

SECRET = "s3cret+of/webhook"
EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


class WebhookStage(Stage):
    """A repository, and the program with a webhook."""

    def __init__(self, store, home):
        super().__init__(store, home)
        self.queue_file = home / "state" / "queue.sqlite"

    def topic(self, hook, **attributes):
        """Has the bucket's events pushed to `hook`, as Ceph's users do it."""
        name = f"topic-{next(NUMBERS)}"
        sns = self.endpoint.client("sns")
        arn = sns.create_topic(Name=name, Attributes={"push-endpoint": hook, "OpaqueData": "opaque"} | attributes)
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={
                "TopicConfigurations": [{"Id": name, "TopicArn": arn["TopicArn"], "Events": EVENTS}]})

    def daemon(self, listen="127.0.0.1:0", webhook=(), repository='quiet = "200ms"', log_name="daemon.log"):
        file, secret = self.home / "settings.toml", self.home / "secret"
        secret.write_text(SECRET + "\n")
        file.write_text("\n".join([
            "[webhook]", f'listen = "{listen}"', f'file = "{self.queue_file}"', f'secret_file = "{secret}"', *webhook,
            "[[repository]]", f'url = "{self.url}"', "create = true", repository,
            "[metrics]", 'listen = "127.0.0.1:0"', ""]))
        return self.program.daemon("--config", file, log_name=log_name)

    def stored(self):
        """How many events the queue holds; only while no daemon has it."""
        with contextlib.closing(sqlite3.connect(self.queue_file)) as file:
            return file.execute("SELECT count(*) FROM messages").fetchone()[0]


def hook_of(daemon):
    return daemon.wait_for_message("webhook listens")["url"]


def acknowledged(daemon):
    """Awaits that the daemon has no message open: it tells the queue a moment after what it published can be seen."""
    url = daemon.wait_for_message("metrics listen")["url"]
    daemon.wait_until(lambda: re.search(r"^repoupdate_open_messages\{[^}]*\} 0$", fetch(url)[2], re.M), 60,
                      "every message to be acknowledged")


def settled(stage, daemon):
    """Awaits the first comparison with the listing: what comes after it is published for its own sake."""
    daemon.wait_until(lambda: published(stage.view.url) == [], 60, "the empty repository")


def listed(stage, daemon, paths):
    wanted = nevras(paths)
    daemon.wait_until(lambda: published(stage.view.url) is not None
                      and metadata.load_repo(stage.view.url).nevras() == wanted, 60, f"the metadata to list {wanted}")


def put_odd(stage, daemon, packages, odd_packages):
    """Puts packages whose names stores and URLs write differently, and removes one; returns those that are listed."""
    chosen = packages[:3] + odd_packages
    for path in chosen:
        stage.put(path)
    stage.put(packages[3], "sub dir/ü+~^%20.rpm")
    listed(stage, daemon, chosen + [packages[3]])
    stage.delete(chosen[0].name)
    left = chosen[1:] + [packages[3]]
    listed(stage, daemon, left)
    return left
