"""Where an object of a store is: as a URL for people, and as a path for everything that names files.

An object's path is `/s3:/BUCKET/KEY`. So a template makes keys as it makes names of files, and the
journal keeps one as it keeps the other.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from suno_wav_cli.errors import UsageError

_ROOTS = ("/s3:/", "/gs:/", "/az:/")
_URL = re.compile(r"((?i:s3|gs|az))://([^/]*)/?(.*)", re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}")


class ObjectAddress(NamedTuple):
    scheme: str
    bucket: str
    key: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"


def is_remote_out(out: str | None) -> bool:
    """Tell whether `--out` names objects of a store."""
    return out is not None and _URL.fullmatch(out) is not None


def path_of_out(out: str) -> str:
    """Return an `--out` of objects as that of a path: a name, a folder or a template.

    Raise UsageError if there is no bucket of this name.
    """
    match = _URL.fullmatch(out)
    if match is None:
        return out
    scheme, bucket, key = match[1].lower(), match[2], match[3]
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(f"--out: '{bucket}' is not a bucket", f"Write {scheme}://BUCKET/PREFIX/")
    if {"..", "."} & set(key.split("/")):
        raise UsageError(
            f"--out: '{key}' is not a key: it has . or .. in it", "Write the prefix without them."
        )
    return f"/{scheme}:/{bucket}/{key}"


def is_remote(target: Path) -> bool:
    """Tell whether a target is an object."""
    return target.as_posix().startswith(_ROOTS)


def address_of(target: Path) -> ObjectAddress:
    """Return the address of a target that is an object."""
    _, scheme, bucket, *key = target.parts
    return ObjectAddress(scheme.removesuffix(":"), bucket, "/".join(key))


def shown(target: Path) -> str:
    """Return a target as people write it: a path, or the URL of an object."""
    return address_of(target).url if is_remote(target) else str(target)
