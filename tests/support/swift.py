# SPDX-License-Identifier: Apache-2.0
"""OpenStack Swift with its S3 API on loopback: one account, container and object server each on one directory, and
a proxy. An S3 store without conditional writes: it answers 501 to If-Match and If-None-Match on a PUT."""
from support.aws import Endpoint
from support.process import ServerGroup, answers, checked, find_server, free_port

USER, SECRET = "test:tester", "secret/+test1"
STRANGER, STRANGER_SECRET = "test:stranger", "secret/+stranger"  # of the same account, with no right to its buckets
REGION = "us-east-1"
BACKENDS = ("account", "container", "object")

BACKEND = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {home}
devices = {home}/disk
mount_check = false
workers = 0
disable_fallocate = true
log_name = {name}
log_address = {home}/no-syslog
db_preallocation = off
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
recon_cache_path = {home}/recon
lock_path = {home}/lock
"""

PLAIN_FILTERS = ("catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "copy", "slo", "dlo", "symlink")

# tempauth wants a cache but needs none for S3, which has no tokens to keep: nothing listens at memcache_servers.
PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {home}
workers = 0
log_address = {home}/no-syslog
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcache_port}
[filter:tempauth]
use = egg:swift#tempauth
user_{user_line} = {secret} .admin
user_{stranger_line} = {stranger_secret}
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = {region}
dns_compliant_bucket_names = true
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
""" + "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in PLAIN_FILTERS)


class Swift(ServerGroup):
    PROGRAMS = tuple(f"swift-{name}-server" for name in (*BACKENDS, "proxy"))

    def __init__(self):
        super().__init__("swift")

    def _start(self):
        for name in ("disk/d1", "recon", "lock"):
            (self.home / name).mkdir(parents=True)
        names = {"home": self.home, "user": checked(["id", "--user", "--name"]).strip()}
        # Swift insists on a cluster's secret of its own for the hashes that files are stored under.
        (self.home / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n")
        for name in BACKENDS:
            self._start_backend(name, free_port(), names)
        port = free_port()
        (self.home / "proxy.conf").write_text(PROXY.format(
            port=port, memcache_port=free_port(), region=REGION, user_line=USER.replace(":", "_"), secret=SECRET,
            stranger_line=STRANGER.replace(":", "_"), stranger_secret=STRANGER_SECRET, **names))
        url = f"http://127.0.0.1:{port}"
        self._daemon("proxy").wait_for(lambda: answers(f"{url}/healthcheck"), 60, "Swift's proxy")
        self.endpoint = Endpoint(url, USER, SECRET, REGION)
        self.stranger = Endpoint(url, STRANGER, STRANGER_SECRET, REGION)

    def _start_backend(self, name, port, names):
        ring = str(self.home / f"{name}.builder")
        checked(["swift-ring-builder", ring, "create", "4", "1", "1"])
        checked(["swift-ring-builder", ring, "add", f"r1z1-127.0.0.1:{port}/d1", "1"])
        checked(["swift-ring-builder", ring, "rebalance"])
        (self.home / f"{name}.conf").write_text(BACKEND.format(name=name, port=port, **names))
        self._daemon(name)

    def _daemon(self, name):
        return self.server([find_server(f"swift-{name}-server"), str(self.home / f"{name}.conf"), "-v"],
                           self.home / f"{name}.log")
