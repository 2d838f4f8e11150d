# SPDX-License-Identifier: Apache-2.0
"""GnuPG for tests: keyrings of their own, below /tmp because the path of an agent's socket may not be long."""
import shutil
import subprocess
import tempfile
from pathlib import Path

from support.process import checked


class Keyring:
    """A GNUPGHOME. A context manager: its agent ends with it."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="ru-gpg-", dir="/tmp"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def gpg(self, *arguments):
        return checked(["gpg", "--homedir", str(self.home), "--batch", "--yes", "--quiet", *map(str, arguments)])

    def make_key(self, name, passphrase="", algorithm="rsa3072", expires="never"):
        """The fingerprint of a new key."""
        self.gpg("--pinentry-mode", "loopback", "--passphrase", passphrase, "--quick-gen-key", name, algorithm, "sign",
                 expires)
        listing = self.gpg("--with-colons", "--list-keys", f"={name}")
        return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))

    def public_key(self, *fingerprints):
        return self.gpg("--armor", "--export", *fingerprints)

    def secret_key(self, fingerprint, passphrase=""):
        return self.gpg("--armor", "--pinentry-mode", "loopback", "--passphrase", passphrase, "--export-secret-keys",
                        fingerprint)

    def sign_command(self, fingerprint, *options):
        """Words that sign what they read."""
        return ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--armor", "--local-user", fingerprint, *options,
                "--detach-sign"]


def good_signers(public_keys, signed, signature):
    """The fingerprints of keys among `public_keys` (armored) that have signed these bytes; none if any signature is bad."""
    with Keyring() as keyring:
        for name, content in (("keys", public_keys), ("signed", signed), ("signature", signature)):
            (keyring.home / name).write_bytes(content)
        keyring.gpg("--import", keyring.home / "keys")
        said = subprocess.run(["gpg", "--homedir", str(keyring.home), "--batch", "--status-fd", "1", "--verify",
                               str(keyring.home / "signature"), str(keyring.home / "signed")],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        lines = [line.split() for line in said.splitlines()]
        if any(line[1] == "BADSIG" for line in lines):
            return []
        return sorted(line[-1] for line in lines if line[1] == "VALIDSIG")
