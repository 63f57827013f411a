"""Uploads to object stores, by obstore: whole, checked, and never over another object unless that is wanted.

The credentials come from the store's usual variables (AWS_..., GOOGLE_..., AZURE_...), which obstore
reads itself.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from suno_wav_cli.errors import OutputExists, UploadFailed, UsageError
from suno_wav_cli.remote.address import address_of, shown
from suno_wav_cli.system.installation import how_to_install_extra
from suno_wav_cli.system.shell_words import say_how

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from suno_wav_cli.remote.limits import UploadLimits

_UPLOADS_AT_ONCE = 2
"""A file that is sent in one piece is in memory meanwhile."""
_LOOKS_AT_ONCE = 16
_SMALL = 1_000_000

_STATUS = re.compile(r"status code: (\d{3} [A-Za-z ]+)")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_NETWORK = re.compile(r"HTTP error: ([a-z ]+)")
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|bucket does not exist")
_ABSENT = "suno-wav-looks-for-its-bucket"
"""A key that no object has: the answer to it tells whether there is a bucket."""
_CHECK = "Check the bucket's name, the endpoint, and the variables with its credentials."
_PREFIXES = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}
"""How the variables begin that obstore reads for each kind of store."""
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An object: its size, and the SHA-256 that this program has given it."""

    bytes: int
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A whole file that is to become an object. `replace` allows to write over one."""

    file: Path
    target: Path
    bytes: int
    sha256: str
    media_type: str
    replace: bool


class ObjectStores:
    """The buckets of a run. `on_unconditional` is told of a store that cannot refuse to overwrite."""

    def __init__(
        self, limits: UploadLimits, *, seconds: float, on_unconditional: Callable[[str], None]
    ) -> None:
        self._limits = limits
        self._seconds = seconds
        self._on_unconditional = on_unconditional
        self._unconditional: set[str] = set()
        self._stores: dict[tuple[str, str], Any] = {}
        self._uploads = asyncio.Semaphore(_UPLOADS_AT_ONCE)
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)

    def goes_in_parts(self, size: int) -> bool:
        return size > self._limits.whole

    async def find(self, target: Path) -> Stored | None:
        """Look for an object. Raise UsageError if the store does not tell."""
        import obstore

        try:
            async with self._looks:
                found = await obstore.get_async(
                    self._store(target), address_of(target).key, options={"head": True}
                )
        except FileNotFoundError:
            return None
        except (obstore.exceptions.BaseError, OSError) as error:
            raise UsageError(
                f"{shown(target)} cannot be looked at: {describe(error)}",
                _CHECK,
            ) from None
        return Stored(bytes=found.meta["size"], sha256=found.attributes.get("sha256"))

    async def check_bucket(self, target: Path) -> None:
        """Raise UsageError if the target's bucket is not there: a look at an object does not tell."""
        import obstore

        try:
            await obstore.get_async(self._store(target), _ABSENT)
        except FileNotFoundError as error:
            if not _NO_BUCKET.search(str(error)):
                return
            reason = "there is no such bucket"
        except (obstore.exceptions.BaseError, OSError) as error:
            reason = describe(error)
        else:
            return
        scheme, bucket, _ = address_of(target)
        raise UsageError(f"{scheme}://{bucket} cannot be used: {reason}", _CHECK)

    async def upload(self, upload: Upload) -> None:
        """Send a file, and see that the store has it whole.

        Raise OutputExists if another object has its name, UploadFailed if the store does not take it,
        and UsageError as `find`.
        """
        async with self._uploads:
            if await self._send(upload):
                return
            found = await self.find(upload.target)
        if found is None or found.bytes != upload.bytes:
            size = "nothing" if found is None else f"{found.bytes} bytes"
            raise _failed(upload.target, f"{upload.bytes} bytes were sent, and the store has {size}")

    async def write(self, target: Path, content: bytes, *, ours: Callable[[bytes], bool]) -> None:
        """Write a small object, in place of one that is `ours`.

        Raise OutputExists, UploadFailed or UsageError.
        """
        import obstore

        there = await self.find(target)
        if there is not None and (there.bytes > _SMALL or not ours(await self._read(target))):
            raise OutputExists(f"{shown(target)} exists", "It was not touched.")
        create = there is None and address_of(target).bucket not in self._unconditional
        try:
            await obstore.put_async(
                self._store(target),
                address_of(target).key,
                content,
                mode="create" if create else "overwrite",
                attributes={"Content-Type": "application/json"},
            )
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _failed(target, describe(error)) from None

    async def _read(self, target: Path) -> bytes:
        import obstore

        try:
            found = await obstore.get_async(self._store(target), address_of(target).key)
            return bytes(await found.bytes_async())
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _failed(target, describe(error)) from None

    async def _send(self, upload: Upload) -> bool:
        """Send the file. Return True if the object is there already, from an earlier try."""
        bucket = address_of(upload.target).bucket
        in_parts = self.goes_in_parts(upload.bytes)
        conditional = not upload.replace and not in_parts and bucket not in self._unconditional
        if not upload.replace and not conditional and await self._is_there(upload):
            return True
        import obstore

        try:
            await obstore.put_async(
                self._store(upload.target),
                address_of(upload.target).key,
                upload.file,
                mode="create" if conditional else "overwrite",
                use_multipart=in_parts,
                chunk_size=self._limits.part,
                max_concurrency=4,
                attributes={"Content-Type": upload.media_type, "sha256": upload.sha256},
            )
        except obstore.exceptions.AlreadyExistsError:
            # It may be this very file, whose answer was lost.
            return await self._is_there(upload)
        except (obstore.exceptions.BaseError, OSError) as error:
            if conditional and _is_unconditional(error):
                self._unconditional.add(bucket)
                self._on_unconditional(bucket)
                return await self._send(upload)
            raise _failed(upload.target, describe(error)) from None
        return False

    async def _is_there(self, upload: Upload) -> bool:
        """Tell whether the object is this very file already. Raise OutputExists if it is another one."""
        found = await self.find(upload.target)
        if found is None:
            return False
        if (found.bytes, found.sha256) != (upload.bytes, upload.sha256):
            raise OutputExists(
                f"{shown(upload.target)} exists", "It was not touched. Choose another --out, or add --force."
            )
        return True

    def _store(self, target: Path) -> Any:
        scheme, bucket, _ = address_of(target)
        key = (scheme, bucket)
        if key not in self._stores:
            from obstore.store import AzureStore, GCSStore, S3Store

            common: dict[str, Any] = {
                "client_options": {
                    # By default a request may take 30 s, with all the bytes that it sends.
                    "timeout": timedelta(seconds=self._seconds),
                    "connect_timeout": timedelta(seconds=10),
                    # Options that are given replace those of the environment.
                    "allow_http": _may_be_unencrypted(scheme),
                },
                "retry_config": {"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
            }
            if scheme == "s3":
                self._stores[key] = S3Store(bucket, config={"checksum_algorithm": "SHA256"}, **common)
            elif scheme == "gs":
                self._stores[key] = GCSStore(bucket, **common)
            else:
                self._stores[key] = AzureStore(bucket, **common)
        return self._stores[key]


def check_stores_possible() -> None:
    """Raise UsageError if nothing can be uploaded from here."""
    if importlib.util.find_spec("obstore") is None:
        raise UsageError(
            "--out to an object store needs a package that is not installed",
            say_how("Install it", *how_to_install_extra("remote")),
        )
    for name in _ENDPOINTS:
        if os.environ.get(name, "").startswith("http://") and not _may_be_unencrypted("s3"):
            raise UsageError(
                f"{name} is an address without encryption", "If that is meant: AWS_ALLOW_HTTP=true"
            )


def _may_be_unencrypted(scheme: str) -> bool:
    return os.environ.get(f"{_PREFIXES[scheme]}_ALLOW_HTTP", "").lower() in ("1", "true", "yes", "on")


def describe(error: Exception) -> str:
    """Say why a request to a store failed. The error's own text may hold signed addresses."""
    text = str(error)
    found = [match[1] for pattern in (_STATUS, _CODE, _NETWORK) if (match := pattern.search(text))]
    return ", ".join(part.strip() for part in found) or type(error).__name__


def _is_unconditional(error: Exception) -> bool:
    return type(error).__name__ == "NotSupportedError" or bool(
        re.search(r"status code: 501|<Code>NotImplemented</Code>", str(error))
    )


def _failed(target: Path, why: str) -> UploadFailed:
    return UploadFailed(
        f"{shown(target)} was not uploaded: {why}", "The file is paid for, and whole on this machine."
    )
