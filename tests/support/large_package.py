# SPDX-License-Identifier: Apache-2.0
"""A package that is large enough to be uploaded in parts."""
import secrets
import subprocess


def build_large(top, mib):
    """`large-1-1.noarch.rpm` of a little more than so many MiB, stored without compression, which would find nothing
    to compress anyway. Returns its path below `top`."""
    with open(top / "noise", "wb") as noise:
        for _ in range(mib):
            noise.write(secrets.token_bytes(1 << 20))
    (top / "large.spec").write_text(
        "Name: large\nVersion: 1\nRelease: 1\nSummary: Large\nLicense: MIT\nBuildArch: noarch\nSource: noise\n"
        "%description\nNoise.\n%install\ninstall -D -m 644 %{SOURCE0} %{buildroot}/usr/share/large/noise\n"
        "%files\n/usr/share/large/noise\n")
    subprocess.run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}/build", "--define", f"_sourcedir {top}",
                    "--define", "_binary_payload w0.gzdio", "--define", "__os_install_post %{nil}", top / "large.spec"],
                   check=True, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(top)})
    (path,) = (top / "build/RPMS").rglob("*.rpm")
    assert path.stat().st_size > mib << 20
    return path
