"""Packs a folder as an archive, and its binary as a wheel: the same bytes for the same content.

    pack.py FOLDER ARCHIVE WHEEL VERSION PLATFORM TIME

A wheel with a binary in its scripts needs no build: https://packaging.python.org, "Binary
distribution format". pip puts what is in `.data/scripts` on the PATH of the environment.
"""

import base64
import gzip
import hashlib
import sys
import tarfile
import time
import zipfile
from pathlib import Path

EXECUTABLE = "trailproof"

METADATA = """\
Metadata-Version: 2.4
Name: trailproof-cli
Version: {version}
Summary: Proves that CloudTrail events of every account in an AWS organization reach a person
License-Expression: Apache-2.0
License-File: LICENSE
License-File: THIRD-PARTY-LICENSES.txt
Requires-Python: >=3.8
Classifier: Environment :: Console
Classifier: Operating System :: POSIX :: Linux
Classifier: Topic :: Security
Description-Content-Type: text/plain

The command `trailproof`: proves, for every account of an AWS organization, that a failed console
sign-in ends as a message in front of a person, and repairs the accounts where it does not.
`trailproof demo` shows it without AWS.
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: trailproof
Root-Is-Purelib: false
Tag: {tag}
"""


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def mode(path):
    return 0o755 if path.name == EXECUTABLE and path.parent.name != "completions" else 0o644


def write_archive(folder, archive, moment):
    with open(archive, "wb") as raw:
        # Without a name and with a fixed time in the header.
        with gzip.GzipFile("", "wb", 9, raw, mtime=moment) as packed:
            with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for path in files(folder):
                    name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
                    entry = tarfile.TarInfo(name)
                    entry.size = path.stat().st_size
                    entry.mode = mode(path)
                    entry.mtime = moment
                    with open(path, "rb") as content:
                        tar.addfile(entry, content)


def record(name, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"{name},sha256={digest.decode()},{len(content)}\n"


def write_wheel(folder, wheel, version, platform, moment):
    info = f"trailproof_cli-{version}.dist-info"
    scripts = f"trailproof_cli-{version}.data/scripts"
    licenses = ["LICENSE", "THIRD-PARTY-LICENSES.txt"]
    contents = [(f"{scripts}/{EXECUTABLE}", (folder / EXECUTABLE).read_bytes(), 0o755)]
    contents += [(f"{info}/licenses/{name}", (folder / name).read_bytes(), 0o644) for name in licenses]
    contents.append((f"{info}/METADATA", METADATA.format(version=version).encode(), 0o644))
    contents.append((f"{info}/WHEEL", WHEEL.format(tag=f"py3-none-{platform}").encode(), 0o644))
    listing = "".join(record(name, content) for name, content, _ in contents)
    contents.append((f"{info}/RECORD", f"{listing}{info}/RECORD,,\n".encode(), 0o644))
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content, permissions in contents:
            entry = zipfile.ZipInfo(name, time.gmtime(moment)[:6])
            entry.external_attr = (0o100000 | permissions) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, content)


def main():
    folder, archive, wheel = map(Path, sys.argv[1:4])
    version, platform, moment = sys.argv[4:7]
    write_archive(folder, archive, int(moment))
    write_wheel(folder, wheel, version, platform, int(moment))


main()
