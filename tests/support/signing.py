# SPDX-License-Identifier: Apache-2.0
"""A signed repository: what the daemon and the commands have to be told, and whether a signature fits."""
import subprocess
import tempfile
from pathlib import Path

from support.steady_reader import SignedPair


class Signing:
    """A repository that is signed by a key of a test's own."""

    def __init__(self, keyring, home):
        key = keyring.make_key("signer")
        secret, self.public = home / "key.sec", home / "key.gpg"
        secret.write_text(keyring.secret_key(key))
        secret.chmod(0o600)
        keyring.gpg("--output", self.public, "--export", key)
        self.home, self.settings = home, [f'sign_key_file = "{secret}"']
        armored = home / "key.asc"
        armored.write_text(keyring.public_key(key))
        self.init_options, self.verify_options = ["--sign-key-file", secret], ["--sign-public-key", armored]
        self.pair = SignedPair(self.fits)

    def fits(self, repomd, signature):
        with tempfile.TemporaryDirectory(dir=self.home) as directory:
            files = [Path(directory) / "repomd.xml.asc", Path(directory) / "repomd.xml"]
            for path, content in zip(files, (signature, repomd), strict=True):
                path.write_bytes(content)
            command = ["gpgv", "--quiet", "--keyring", self.public, *files]
            return subprocess.run(command, capture_output=True).returncode == 0
