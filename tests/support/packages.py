# SPDX-License-Identifier: Apache-2.0
"""Builds RPM packages for tests with rpmbuild: simple ones in any number, and a set of hard ones, each of which
somebody's repository tool gets wrong.

Packages are reproducible where rpmbuild allows it (no clock, no host name; a signature is new each time). The
caller's ~/.rpmmacros is not read. What is in the directory already is not built again, and a lock lets several
test processes share it; but two packages with the same NEVRA and different content need two directories.
"""
import concurrent.futures
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

BUILD_TIME = 1_700_000_000
BUILDERS = 2

_MACROS = {
    "_buildhost": "builder.example.org",
    "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
    "source_date_epoch_from_changelog": "0",
    "_invalid_encoding_terminates_build": "0",
    "_unpackaged_files_terminate_build": "0",
    "__os_install_post": "%{nil}",
    "debug_package": "%{nil}",
    "_build_id_links": "none",
    "_binary_payload": "w1.gzdio",  # quick to make, and every rpm reads it
    "_source_payload": "w1.gzdio",
}


@dataclass
class Build:
    """One run of rpmbuild. `spec` may hold bytes that are no UTF-8, written as surrogate escapes."""

    name: str
    spec: str
    macros: dict = field(default_factory=dict)
    arch: str = "noarch"
    source: bool = False  # the source package, not the binary ones
    sources: dict = field(default_factory=dict)  # name -> text, what Source lines name


def _run(command, environment):
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace", check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")


def _environment(home):
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "TMPDIR")}
    return kept | {"HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC", "SOURCE_DATE_EPOCH": str(BUILD_TIME)}


def run_build(build, out_dir):
    """Runs rpmbuild and moves what it made into out_dir; the new paths, sorted."""
    with tempfile.TemporaryDirectory(prefix="rpmbuild-") as top:
        top = Path(top)
        spec = top / "package.spec"
        spec.write_bytes(build.spec.encode("utf-8", "surrogateescape"))
        os.utime(spec, (BUILD_TIME, BUILD_TIME))
        for name, text in build.sources.items():
            (top / name).write_text(text)
            os.utime(top / name, (BUILD_TIME, BUILD_TIME))
        folders = {"_topdir": top, "_sourcedir": top, "_rpmdir": top / "out", "_srcrpmdir": top / "out",
                   "_builddir": top / "build", "_buildrootdir": top / "root", "_tmppath": top}
        for folder in ("out", "build", "root"):
            (top / folder).mkdir()
        command = ["rpmbuild", "--quiet", "-bs" if build.source else "-bb", "--nodeps", "--target", build.arch]
        for name, value in ({name: str(path) for name, path in folders.items()} | _MACROS | build.macros).items():
            command += ["--define", f"{name} {value}"]
        _run([*command, str(spec)], _environment(top))
        made = sorted((top / "out").rglob("*.rpm"))
        if not made:
            raise RuntimeError(f"rpmbuild made no package of {build.name}")
        return [_move(path, out_dir) for path in made]


def _move(path, out_dir):
    """Into place by rename, so that nobody sees half a package; with a modification time that is no clock's."""
    target = Path(out_dir) / path.name
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(path, partial)
    os.utime(partial, (BUILD_TIME + 60, BUILD_TIME + 60))
    partial.rename(target)
    return target


@contextlib.contextmanager
def _locked(out_dir):
    out_dir.mkdir(parents=True, exist_ok=True)
    with open(out_dir / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "absent"


def _cached(out_dir, key, build):
    """build() unless a note in out_dir says that the same was built there and is there still; returns paths."""
    note = out_dir / f".built-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}"
    with _locked(out_dir):
        if note.exists():
            made = [line.split(" ", 1) for line in note.read_text().splitlines()]
            if all(_digest(out_dir / name) == digest for digest, name in made):
                return [out_dir / name for _, name in made]
        paths = build()
        note.write_text("".join(f"{_digest(path)} {path.name}\n" for path in paths))
        return paths


# ---- simple packages -----------------------------------------------------------------------------------------

def _install_lines(files):
    lines = []
    for path in files:
        lines += [f"mkdir -p '%{{buildroot}}{os.path.dirname(path)}'", f"echo '{path}' > '%{{buildroot}}{path}'"]
    return "\n".join(lines)


def _simple_sections(name, files, requires, description, main):
    files_list = "\n".join(f'"{path}"' for path in files)
    return "\n".join([
        "" if main else f"%package -n {name}\nSummary: The package {name}",
        *[f"Requires: {requirement}" for requirement in requires],
        "%description" if main else f"%description -n {name}", description,
        "%files" if main else f"%files -n {name}", files_list,
    ])


def build_simple(out_dir, name, version="1.0", release="1", epoch=None, arch="noarch", files=(), requires=(),
                 description="A package for tests."):
    """One package with the given files (absolute paths, each with its own name as content)."""
    head = f"Name: {name}\nVersion: {version}\nRelease: {release}\nSummary: The package {name}\nLicense: MIT\n"
    if epoch is not None:
        head += f"Epoch: {epoch}\n"
    spec = head + _simple_sections(name, files, requires, description, main=True)
    spec += f"\n%install\nmkdir -p %{{buildroot}}\n{_install_lines(files)}\n"
    out_dir = Path(out_dir)
    build = Build(name, spec, arch=arch)
    return _cached(out_dir, f"simple {arch}\n{spec}", lambda: run_build(build, out_dir))[0]


def build_many(out_dir, names, version="1.0", release="1", arch="noarch"):
    """One small package for each name, in one run of rpmbuild; paths in the order of the names."""
    names = list(names)
    head = f"Name: batch\nVersion: {version}\nRelease: {release}\nSummary: A batch\nLicense: MIT\n%description\nNone.\n"
    files = {name: [f"/usr/share/{name}/data"] for name in names}
    sections = [_simple_sections(name, files[name], (), f"The package {name}.", main=False) for name in names]
    install = _install_lines([path for paths in files.values() for path in paths])
    spec = head + "\n".join(sections) + f"\n%install\n{install}\n"
    out_dir = Path(out_dir)
    build = Build("batch", spec, arch=arch)
    _cached(out_dir, f"many {arch}\n{spec}", lambda: run_build(build, out_dir))
    return [out_dir / f"{name}-{version}-{release}.{arch}.rpm" for name in names]


# ---- hard packages -------------------------------------------------------------------------------------------

def _spec(name, tags="", body="", version="1.0", release="1", summary="A hard package", description="Hard.",
          files=None):
    """A spec; `tags` go into its preamble, `body` holds further sections; files None: no %files contents."""
    head = (f"Name: {name}\nVersion: {version}\nRelease: {release}\nSummary: {summary}\nLicense: MIT\n"
            + textwrap.dedent(tags).strip() + f"\n\n%description\n{description}\n\n")
    return head + textwrap.dedent(body).strip() + f"\n\n%files\n{files or ''}\n"


def _latin1(text):
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def _one_file(name):
    # Not %{buildroot}: a source package keeps the spec with that expanded, which is a new directory each time.
    path = f"/usr/share/{name}/data"
    install = f"%install\nmkdir -p $RPM_BUILD_ROOT/usr/share/{name}\necho data > $RPM_BUILD_ROOT{path}"
    return {"body": install, "files": path}


def _identity_builds():
    yield Build("epoch", _spec("epoch", "Epoch: 3", **_one_file("epoch")))
    yield Build("tilde-caret", _spec("tilde-caret", version="1.2~rc1^git5", release="0.1~beta^2",
                                     **_one_file("tilde-caret")))
    yield Build("plus", _spec("gtk+-c++_lib", version="1.0~rc1^git", **_one_file("gtk+-c++_lib")))
    yield Build("arch", _spec("arch-package", **_one_file("arch-package")), arch="x86_64")
    yield Build("modular", _spec("modular", "ModularityLabel: perl:5.30:3020190610:9edba152", **_one_file("modular")))
    yield Build("tags", _spec("tags", """
        Group: System Environment/Libraries
        URL: https://example.org/?a=1&b=<2>
        Vendor: Example & Sons "Ltd"
        Packager: Ann O'Nymous <ann@example.org>
        """, **_one_file("tags")))


def _text_builds():
    yield Build("unicode", _spec(
        "unicode", summary="Grüße, 世界 — ☃ 🎉", description="Ελληνικά, русский, 日本語, 𝒳.\n\n\tA tab and  two spaces.",
        body="""
        %install
        mkdir -p "%{buildroot}/usr/share/unicode/Ünïcödé 目录" "%{buildroot}/usr/bin"
        echo 1 > "%{buildroot}/usr/share/unicode/Ünïcödé 目录/файл.txt"
        echo 1 > "%{buildroot}/usr/bin/größe"
        %changelog
        * Mon Jan 02 2023 Jürgen Größe <jürgen@example.org> - 1.0-1
        - Änderung: „neu“ ☂
        """, files='"/usr/share/unicode"\n"/usr/bin/größe"'))
    marks = "<a href=\"x\">Tom & Jerry's</a> &amp; ]]> <!-- --> 'quoted' \"twice\""
    yield Build("xml", _spec(
        "xml", "Vendor: <&>\nProvides: xml(<&>\"')\nRequires: needs(\"&<>')", summary=marks, description=marks,
        body="""
        %install
        mkdir -p "%{buildroot}/etc/xml"
        echo 1 > "%{buildroot}/etc/xml/a&b<c>d'e.conf"
        echo 1 > "%{buildroot}/etc/xml/&amp;"
        %changelog
        * Mon Jan 02 2023 <script> & "Co" <a@b.c> - 1.0-1
        - fix <tag> & "quotes" 'here' ]]> &lt;
        """, files="\"/etc/xml/a&b<c>d'e.conf\"\n\"/etc/xml/&amp;\""))
    yield Build("latin1", _spec(
        "latin1", summary=_latin1("Gr\xfc\xdfe"),
        description=_latin1("Fran\xe7ais: d\xe9j\xe0 vu, \x93quoted\x94, \xa9 \xbf\xc0\xff."),
        body=_latin1("""
        %install
        mkdir -p "%{buildroot}/etc/latin1"
        echo 1 > "%{buildroot}/etc/latin1/gr\xf6\xdfe.conf"
        %changelog
        * Mon Jan 02 2023 J\xfcrgen <j@example.org> - 1.0-1
        - \xc4nderung
        """), files="/etc/latin1"))
    yield Build("mixed", _spec(  # a directory in UTF-8 that holds a name in Latin-1
        "mixed-encodings", body='%install\nmkdir -p "%{buildroot}/etc/größe"\n'
        + _latin1('echo 1 > "%{buildroot}/etc/') + "größe/" + _latin1('\xfcber"'), files="/etc/größe"))
    lines = "\n".join(f"Line {number} of a description that goes on and on, & on." for number in range(20_000))
    yield Build("long", _spec("long-description", description=lines, **_one_file("long-description")))


def _dependency_builds():
    yield Build("rich", _spec("rich", """
        Requires: (foo or (bar and baz >= 1:2.0-3))
        Requires: (pkgA if pkgB else pkgC)
        Requires: (a with b < 2)
        Recommends: (langpack-de if langpacks-core)
        Conflicts: (x unless y)
        """))
    yield Build("weak", _spec("weak", """
        Recommends: rec >= 1.0
        Recommends: rec2
        Suggests: sug = 2:1-1
        Supplements: sup
        Supplements: (a and b)
        Enhances: enh < 3
        """))
    yield Build("scriptlets", _spec("scriptlets", """
        Requires: /bin/sh
        Requires(pre): shadow-utils >= 4
        Requires(post): /sbin/ldconfig
        Requires(preun): systemd
        Requires(postun): systemd
        Requires(pretrans): lua-thing
        Requires(posttrans): late-thing
        Requires: shadow-utils >= 4
        Requires: both
        Requires(pre): both
        """, body="""
        %pre
        exit 0
        %post -p /sbin/ldconfig
        %preun
        exit 0
        %postun -p <lua>
        print("x")
        """))
    symbols = "".join(f"\n        Requires: libc.so.6(GLIBC_{version})(64bit)"
                        for version in ("2.2.5", "2.34", "2.4", "2.3.4", "2.14", "2.33"))
    yield Build("libc", _spec("libc-symbols", symbols + """
        Requires: libc.so.6()(64bit)
        Requires: libm.so.6(GLIBC_2.29)(64bit)
        """), arch="x86_64")
    yield Build("obsoletes", _spec("obsoletes", """
        Obsoletes: old < 2:1.5-3
        Obsoletes: older <= 1
        Obsoletes: oldest
        Conflicts: rival >= 4
        Conflicts: rival < 3
        Provides: old = 2:1.5-3
        Provides: virtual
        """))
    yield Build("duplicates", _spec("duplicates", """
        Provides: twice = 1
        Provides: twice = 1
        Provides: twice = 2
        Requires: thing
        Requires: thing
        Requires: thing >= 2
        Requires: thing >= 2
        Requires: other-thing = 1:2-3
        Requires: twice = 1
        """))
    yield Build("self-provided", _spec("self-provided", """
        Requires: /usr/bin/self-tool
        Requires: /etc/self.conf
        Requires: /usr/share/self/data
        Requires: /usr/bin/not-mine
        """, body="""
        %install
        mkdir -p %{buildroot}/usr/bin %{buildroot}/etc %{buildroot}/usr/share/self
        echo 1 > %{buildroot}/usr/bin/self-tool; echo 1 > %{buildroot}/etc/self.conf
        echo 1 > %{buildroot}/usr/share/self/data
        """, files="/usr/bin/self-tool\n/etc/self.conf\n/usr/share/self/data"))


def _file_builds():
    yield Build("kinds", _spec("file-kinds", body="""
        %install
        cd %{buildroot}
        mkdir -p etc/kinds usr/share/kinds/empty usr/share/doc/kinds var/lib/kinds
        echo a > etc/kinds/main.conf; echo b > etc/kinds/other.conf; echo c > usr/share/kinds/data
        echo d > usr/share/doc/kinds/README; touch var/lib/kinds/state
        """, files="""
%dir /etc/kinds
%config(noreplace) /etc/kinds/main.conf
%config(missingok) /etc/kinds/other.conf
%ghost /etc/kinds/ghost.conf
%ghost %dir /etc/kinds/ghost.d
%dir %attr(1777,root,root) /usr/share/kinds/empty
/usr/share/kinds/data
%doc /usr/share/doc/kinds/README
%ghost %attr(0600,root,root) /var/lib/kinds/state
"""))
    yield Build("primary", _spec("primary-files", body="""
        %install
        cd %{buildroot}
        mkdir -p etc/a usr/bin usr/sbin bin opt/x/bin usr/lib usr/share/cabin usr/etc usr/share/bin.d etcetera
        for path in etc/a/b usr/bin/tool usr/sbin/daemon bin/old opt/x/bin/y usr/lib/sendmail usr/lib/sendmail.x \\
                    usr/share/cabin/log usr/etc/no usr/share/bin.d/no etcetera/no; do echo 1 > $path; done
        """, files="/etc/a\n/usr/bin/tool\n/usr/sbin/daemon\n/bin/old\n/opt/x/bin\n/usr/lib/sendmail\n"
                   "/usr/lib/sendmail.x\n/usr/share/cabin/log\n/usr/etc/no\n/usr/share/bin.d/no\n/etcetera/no"))
    yield Build("none", _spec("no-files"))
    yield Build("many", _spec("many-files", body="""
        %install
        mkdir -p %{buildroot}/usr/share/many
        cd %{buildroot}/usr/share/many
        mkdir $(seq -f 'd%%03g' 0 199)
        for d in d*; do (cd $d && touch $(seq -f 'file-%%03g.txt' 0 99)); done
        """, files="/usr/share/many"))
    yield Build("links", _spec("links", body="""
        %install
        mkdir -p %{buildroot}/usr/share/links %{buildroot}/usr/bin
        cd %{buildroot}/usr/share/links
        head -c 5000 /dev/zero > one; ln one two; ln one three
        ln -s one soft; ln -s /does/not/exist dangling; ln -s . loop
        ln -s ../share/links/one %{buildroot}/usr/bin/links
        """, files="/usr/share/links\n/usr/bin/links"))


def _changelog_builds():
    yield Build("no-changelog", _spec("no-changelog", **_one_file("no-changelog")))
    entries = "".join(f"* Mon Jan {day:02} 2023 Writer <w@example.org> - 1.0-{day}\n- entry {day}\n  - nested\n\n"
                      for day in (30, 23, 16, 9, 2))
    same_day = "".join(f"* Mon Dec 26 2022 Writer {number}  <w@example.org>\n- same day {number}\n\n"
                       for number in range(8))
    yield Build("changelogs", _spec("changelogs", body="%changelog\n" + entries + same_day))


def _format_builds():
    # Names after the compressor; xz and lzma at a low level, the header is what matters.
    for kind, mode in (("gzip", "w9.gzdio"), ("xz", "w1.xzdio"), ("zstd", "w3.zstdio"), ("bzip2", "w9.bzdio"),
                       ("lzma", "w1.lzdio"), ("none", "w.ufdio")):
        yield Build(f"payload-{kind}", _spec(f"payload-{kind}", **_one_file(f"payload-{kind}")),
                    {"_binary_payload": mode})
    for kind, number in (("md5", 1), ("sha512", 10)):
        yield Build(f"digest-{kind}", _spec(f"digest-{kind}", **_one_file(f"digest-{kind}")),
                    {"_binary_filedigest_algorithm": str(number)})
    source = _spec("source-package", "Source0: source.txt\nBuildRequires: gcc >= 12, (make or ninja)", **_one_file("x"))
    yield Build("source", source, source=True, sources={"source.txt": "text\n"})
    nosource = _spec("nosource-package", "Source0: source.txt\nNoSource: 0", **_one_file("x"))
    yield Build("nosource", nosource, source=True, sources={"source.txt": "text\n"})
    yield Build("multi", _spec("multi", "Epoch: 1", body="""
        %package devel
        Summary: Headers
        Requires: %{name}%{?_isa} = %{epoch}:%{version}-%{release}
        %description devel
        Headers.
        %package -n libmulti2
        Summary: Library
        Version: 2.0
        Release: 7
        Epoch: 9
        %description -n libmulti2
        Library.
        %install
        mkdir -p %{buildroot}/usr/include %{buildroot}/usr/lib64
        echo 1 > %{buildroot}/usr/include/multi.h; echo 1 > %{buildroot}/usr/lib64/libmulti.so.2
        %files devel
        /usr/include/multi.h
        %files -n libmulti2
        /usr/lib64/libmulti.so.2
        """), arch="x86_64")


def _control_builds():
    def control(code):  # rpmbuild refuses a spec that holds the byte itself
        return '%{lua:print("\\' + str(code) + '")}'

    yield Build("control-text", _spec(
        "control-text", summary=f"A {control(7)}bell",
        description=f"An {control(27)}escape,{control(11)} and{control(12)} more.\n\tStays.",
        body=f"%changelog\n* Mon Jan 02 2023 A{control(1)}B <a@b.c> - 1.0-1\n- beep {control(7)} here"))
    yield Build("forbidden-text", _spec(
        "forbidden-text", description="Not in XML: \ufffe and \uffff and \udced\udca0\udc80 and \udcc0\udcaf."))
    yield Build("control-provide", _spec("control-provide", f"Provides: bad({control(1)}thing)"))


def _sign(path, home):
    """Signs the package in place with a key that exists for this call only."""
    environment = _environment(home)
    gnupg = home / "gnupg"
    gnupg.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(gnupg), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    try:
        _run([*gpg, "--quick-gen-key", "Tests <tests@example.org>", "rsa2048", "sign", "never"], environment)
        _run(["rpmsign", "--addsign", "--define", "_gpg_name tests@example.org", "--define", f"_gpg_path {gnupg}",
              "--define", f"__gpg {shutil.which('gpg')}", str(path)], environment)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(gnupg), "--kill", "all"], env=environment, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _build_signed(out_dir):
    # A short path: the agent's socket lives below it.
    with tempfile.TemporaryDirectory(prefix="sign-", dir="/tmp") as home:
        made = run_build(Build("signed", _spec("signed", **_one_file("signed"))), Path(home))[0]
        _sign(made, Path(home))
        return [_move(made, out_dir)]


def _build_all(out_dir, builds, extra=()):
    """Runs them side by side. One that rpmbuild here cannot make is left out, and said so."""
    def attempt(name, make):
        try:
            return make()
        except (RuntimeError, OSError) as problem:
            print(f"hard package {name} left out: {problem}")
            return []

    with concurrent.futures.ThreadPoolExecutor(BUILDERS) as pool:
        running = [pool.submit(attempt, build.name, lambda build=build: run_build(build, out_dir)) for build in builds]
        running += [pool.submit(attempt, name, make) for name, make in extra]
        return sorted(path for future in running for path in future.result())


def _key(builds):
    return "\n".join(repr(build) for build in builds)


def build_hard_packages(out_dir):
    """The packages that a repository tool should list exactly as createrepo_c does; sorted paths."""
    out_dir = Path(out_dir)
    groups = (_identity_builds, _text_builds, _dependency_builds, _file_builds, _changelog_builds, _format_builds)
    builds = [build for group in groups for build in group()]
    builds.sort(key=lambda build: build.name != "many")  # the slowest first
    extra = [("signed", lambda: _build_signed(out_dir))]
    return _cached(out_dir, "hard\n" + _key(builds), lambda: _build_all(out_dir, builds, extra))


def build_control_packages(out_dir):
    """Packages with characters that XML forbids. createrepo_c leaves them out or writes XML that no client can
    read: *-text may be listed without the characters, *-provide must be refused. (rpmbuild makes none with such
    a path.) Sorted paths."""
    out_dir = Path(out_dir)
    builds = list(_control_builds())
    return _cached(out_dir, "controls\n" + _key(builds), lambda: _build_all(out_dir, builds))
