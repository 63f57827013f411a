"""Compare what is found in WAV files with what ffmpeg, sox and libsndfile find in them.

    python -m tests.bench.wav_readers FOLDER [--get]

The files are those that other packages ship, which no program of this project has written. `--get` fetches the
Debian packages of `PACKAGES` into the folder first; unpacked packages of SciPy, soundfile and mutagen may lie beside
them. A file agrees if all that can read it find the same rate, bits, channels and length, and peak and RMS
within `TOLERANCE`. Prints the others, and how many agree.

Exit code: 0 whatever differs, 2 if no reader is here.
"""
# soundfile is not there when the tests are checked.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.levels import measure_levels
from suno_wav_cli.wav.structure import read_structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

PACKAGES = (
    "hydrogen-data",
    "supertux-data",
    "libreoffice-common",
    "tuxpaint-data",
    "sound-icons",
    "pingus-data",
    "alsa-utils",
    "libpython3.11-testsuite",
)
TOLERANCE = 0.011
"""Decibels. Both sides round to hundredths."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one reader finds. `bits` is None if it does not say, and so are levels without samples."""

    rate: int
    bits: int | None
    channels: int
    frames: int
    peak: float | None
    loudness: float | None

    def differences(self, other: Finding, *, clips: bool) -> list[str]:
        """Name the fields that differ. A reader that `clips` finds no levels beyond full scale."""
        names = [
            name for name in ("rate", "channels", "frames") if getattr(self, name) != getattr(other, name)
        ]
        if None not in (self.bits, other.bits) and self.bits != other.bits:
            names.append("bits")
        if clips and (self.peak or 0.0) > 0.0:
            return names
        return names + [
            name
            for name in ("peak", "loudness")
            if abs(_level(getattr(self, name)) - _level(getattr(other, name))) > TOLERANCE
        ]


def _level(decibels: float | None) -> float:
    return -999.0 if decibels is None else decibels


def ours(path: Path) -> Finding | str:
    try:
        structure = read_structure(path)
    except NotAWav as error:
        return error.reason
    if structure.flaw is not None:
        return structure.flaw
    wav = structure.format
    levels = measure_levels(path, wav)
    if levels is None:
        return f"it holds {wav.encoding}, whose samples are not measured"
    return Finding(
        rate=wav.sample_rate,
        bits=wav.bits,
        channels=wav.channels,
        frames=wav.data_bytes // wav.frame_bytes,
        peak=levels.peak,
        loudness=levels.loudness,
    )


def by_ffmpeg(path: Path) -> Finding | str:
    probe = run("ffprobe", "-v", "error", "-show_streams", "-of", "json", path)
    if isinstance(probe, str):
        return probe
    stream: dict[str, Any] = json.loads(probe.stdout)["streams"][0]
    decoded = run("ffmpeg", "-v", "error", "-i", path, "-f", "f64le", "-c:a", "pcm_f64le", "-")
    if isinstance(decoded, str):
        return decoded
    return finding(
        decoded.stdout, int(stream["sample_rate"]), int(stream["channels"]), stream["bits_per_sample"] or None
    )


def by_sox(path: Path) -> Finding | str:
    told = run("sox", "--i", path)
    decoded = run("sox", "-V1", "-D", path, "-t", "f64", "-")
    if isinstance(told, str) or isinstance(decoded, str):
        return told if isinstance(told, str) else str(decoded)
    fields = dict(re.findall(r"^(\S.*?)\s*: .*?(\d+)", told.stdout.decode(), re.MULTILINE))
    return finding(
        decoded.stdout,
        int(fields["Sample Rate"]),
        int(fields["Channels"]),
        int(fields.get("Sample Encoding", 0)) or None,
    )


def by_libsndfile(path: Path) -> Finding | str:
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            samples = file.read(dtype="float64", always_2d=True)
            # Such as PCM_16, PCM_U8, FLOAT.
            bits = re.fullmatch(r"PCM_[SU]?(\d+)", file.subtype)
            return finding(samples.tobytes(), file.samplerate, file.channels, int(bits[1]) if bits else None)
    except (soundfile.SoundFileError, ValueError) as error:
        return str(error)


def run(*command: str | Path) -> subprocess.CompletedProcess[bytes] | str:
    """Run a reader. Return the last line of its error if it fails."""
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode == 0:
        return done
    return (done.stderr.decode(errors="replace").strip().splitlines() or ["failed"])[-1]


def finding(samples: bytes, rate: int, channels: int, bits: int | None) -> Finding | str:
    found: NDArray[np.float64] = np.frombuffer(samples, "<f8")
    if not len(found):
        return "no samples"
    return Finding(
        rate=rate,
        bits=bits,
        channels=channels,
        frames=len(found) // channels,
        peak=decibels(float(np.abs(found).max())),
        loudness=decibels(math.sqrt(float(np.dot(found, found)) / len(found))),
    )


def decibels(level: float) -> float | None:
    return round(20 * math.log10(level), 2) if level > 0 else None


READERS = {"ffmpeg": by_ffmpeg, "sox": by_sox, "libsndfile": by_libsndfile}


def get_packages(folder: Path) -> None:
    for package in PACKAGES:
        subprocess.run(["apt-get", "download", "--quiet", package], cwd=folder, check=True)
    for archive in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", archive.name, archive.stem], cwd=folder, check=True)


def compare(path: Path, readers: list[str]) -> str | None:
    """Return what the readers do not agree with, None if they agree with all of it."""
    found = ours(path)
    if isinstance(found, str):
        return found
    others = {name: READERS[name](path) for name in readers}
    said = [
        f"{name} differs in {', '.join(names)}: {other}, ours {found}"
        for name, other in others.items()
        if not isinstance(other, str) and (names := found.differences(other, clips=name == "sox"))
    ]
    if all(isinstance(other, str) for other in others.values()):
        said = [f"{name} does not read it: {other}" for name, other in others.items()]
    return "; ".join(said) or None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files are, at any depth")
    parser.add_argument("--get", action="store_true", help="fetch the Debian packages into the folder first")
    options = parser.parse_args()
    if options.get:
        options.folder.mkdir(parents=True, exist_ok=True)
        get_packages(options.folder)
    there = {
        "ffmpeg": shutil.which("ffmpeg") and shutil.which("ffprobe"),
        "sox": shutil.which("sox") and shutil.which("soxi"),
        "libsndfile": importlib.util.find_spec("soundfile"),
    }
    readers = [name for name in READERS if there[name]]
    print(
        f"compared with: {', '.join(readers)}; not here: {', '.join(set(READERS) - set(readers)) or 'none'}"
    )
    if not readers:
        return 2
    paths = sorted(
        path for path in options.folder.rglob("*") if path.suffix.lower() == ".wav" and path.is_file()
    )
    count: Counter[bool] = Counter()
    for path in paths:
        trouble = compare(path, readers)
        count[trouble is None] += 1
        if trouble is not None:
            print(f"{path.relative_to(options.folder)}: {trouble}", flush=True)
    print(f"{count[True]} of {len(paths)} agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
