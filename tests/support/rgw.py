# SPDX-License-Identifier: Apache-2.0
"""Ceph's RADOS gateway on loopback: a real S3 server. One monitor, one object store daemon in memory, one gateway;
no manager, no systemd, any user."""
import uuid

from support.aws import Endpoint
from support.process import ServerGroup, checked, free_port, listens

ACCESS_KEY, SECRET_KEY = "AKTEST1", "secret/+test1"
STRANGER_KEY, STRANGER_SECRET = "AKSTRANGER", "secret/+stranger"  # a user without any right to the other's buckets

# - paxos intervals: the defaults make each step of the set-up wait for a second or more;
# - ms mon client mode: the gateway's own default, "secure", never gets through without cephx.
CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_port},v1:127.0.0.1:{mon_port_v1}]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
run dir = {home}/run
admin socket = {home}/run/$name.$pid.asok
log file = {home}/log/$name.log
crash dir = {home}/log
keyring = {home}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
ms bind ipv6 = false
[mon.a]
mon data = {home}/mon
mon data avail crit = 1
paxos propose interval = 0.05
paxos min wait = 0.01
[osd.0]
osd data = {home}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
[client.rgw]
rgw data = {home}/rgw
rgw frontends = beast endpoint=127.0.0.1:{rgw_port}
rgw thread pool size = 32
rgw enable usage log = false
rgw run sync thread = false
ms mon client mode = crc
"""


class Rgw(ServerGroup):
    def __init__(self):
        super().__init__("rgw")

    def _start(self):
        for name in ("mon", "osd", "run", "log", "rgw"):
            (self.home / name).mkdir()
        (self.home / "keyring").touch()
        ports = {name: free_port() for name in ("mon_port", "mon_port_v1", "rgw_port")}
        fsid = str(uuid.uuid4())
        self.conf = self.home / "ceph.conf"
        self.conf.write_text(CONFIGURATION.format(home=self.home, fsid=fsid, **ports))
        self._start_monitor(fsid, ports)
        self._start_store()
        self._start_gateway(ports["rgw_port"])

    def _daemon(self, program, *arguments):
        return self.server([program, "-c", str(self.conf), *arguments, "-f"], self.home / "log" / f"{program}.out")

    def _run(self, program, *arguments):
        return checked([program, "-c", str(self.conf), *arguments])

    def _start_monitor(self, fsid, ports):
        addresses = f"[v2:127.0.0.1:{ports['mon_port']},v1:127.0.0.1:{ports['mon_port_v1']}]"
        monmap = str(self.home / "monmap")
        checked(["monmaptool", "--create", "--fsid", fsid, "--addv", "a", addresses, monmap])
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._daemon("ceph-mon", "-i", "a")

    def _start_store(self):
        osd_id = str(uuid.uuid4())
        self._run("ceph", "--connect-timeout", "30", "osd", "new", osd_id, "0")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd_id)
        self._run("ceph", "osd", "crush", "add", "0", "1.0", "root=default", "host=test")
        server = self._daemon("ceph-osd", "-i", "0")
        server.wait_for(lambda: "1 up" in self._run("ceph", "osd", "stat"), 60, "the object store daemon")

    def _start_gateway(self, port):
        server = self._daemon("radosgw", "-n", "client.rgw")
        server.wait_for(lambda: listens(port), 120, "the gateway")
        url = f"http://127.0.0.1:{port}"
        self.endpoint = self._user(url, "test", ACCESS_KEY, SECRET_KEY)
        self.stranger = self._user(url, "stranger", STRANGER_KEY, STRANGER_SECRET)

    def _user(self, url, name, access_key, secret_key):
        self._run("radosgw-admin", "-n", "client.rgw", "user", "create", f"--uid={name}", f"--display-name={name}",
                  f"--access-key={access_key}", f"--secret-key={secret_key}")
        return Endpoint(url, access_key, secret_key, "default")
