# SPDX-License-Identifier: Apache-2.0
"""Repositories that the program signs, and a client that checks the signature."""
import subprocess
import tempfile
from pathlib import Path

from .steady_reader import SignedPair


class Signing:
    """How repositories are signed by a key of this test's: the lines of their settings, options of commands, and as `pair`
    a SignedPair. `home`: a directory for its files."""

    def __init__(self, keyring, home):
        key = keyring.make_key("repository")
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
