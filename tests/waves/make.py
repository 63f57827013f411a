"""Have real programs write small WAV files, and write down in table.json what ffmpeg finds in each.

Needs sox, ffmpeg with ffprobe, soundfile and mutagen: python tests/waves/make.py. The files are committed; the tests need
none of these.
"""
# soundfile is not there when the tests are checked.
# mypy: ignore-errors

from __future__ import annotations

import array
import json
import math
import shlex
import subprocess
from pathlib import Path

import soundfile
from mutagen import id3, wave

HERE = Path(__file__).parent
FRAMES = 241
"""An odd number: with one byte a frame there is padding."""

SOX = {
    "u8-mono": "-b 8 -e unsigned",
    "s16-mono": "-b 16",
    "s16-stereo": "-c 2 -b 16",
    "s24-stereo": "-c 2 -b 24",
    "s32-mono": "-b 32 -e signed",
    "f32-stereo": "-c 2 -b 32 -e float",
    "f64-mono": "-b 64 -e float",
    "s16-51": "-c 6 -b 16",
    "s24-71": "-c 8 -b 24",
    "alaw": "-e a-law -b 8",
    "mulaw-stereo": "-c 2 -e mu-law -b 8",
    "ima": "-e ima-adpcm",
}
FFMPEG = {
    "u8-stereo": "-ac 2 -c:a pcm_u8",
    "s16-tags": "-c:a pcm_s16le -metadata title=Größe -metadata artist=ffmpeg -metadata comment='one two'",
    "s16-bext": "-c:a pcm_s16le -write_bext 1 -metadata description=odd",
    "s24-mono": "-c:a pcm_s24le",
    "s32-51": "-ac 6 -c:a pcm_s32le",
    "s64-mono": "-c:a pcm_s64le",
    "f32-71": "-ac 8 -c:a pcm_f32le",
    "f64-stereo": "-ac 2 -c:a pcm_f64le",
    "rf64": "-ac 2 -c:a pcm_s16le -rf64 always",
    "ms-adpcm": "-c:a adpcm_ms",
    "mp3": "-c:a libmp3lame -ar 44100",
}
FFMPEG_PIPES = {"pipe": "-ac 2 -c:a pcm_s16le", "pipe-rf64": "-c:a pcm_s24le -rf64 always"}
SOUNDFILE = {
    "u8-mono": ("WAV", "PCM_U8", 1),
    "s16-stereo": ("WAV", "PCM_16", 2),
    "s24-51": ("WAV", "PCM_24", 6),
    "s32-stereo": ("WAV", "PCM_32", 2),
    "f32-mono": ("WAV", "FLOAT", 1),
    "f64-71": ("WAV", "DOUBLE", 8),
    "wavex-s24": ("WAVEX", "PCM_24", 2),
    "rf64-f32": ("RF64", "FLOAT", 2),
    "alaw": ("WAV", "ALAW", 1),
}

UNREAD = HERE / "ffmpeg-pipe-rf64.wav"
"""Its header gives a length of 0, and ffmpeg, which has written it, reads nothing of it."""


def run(command: str, entered: bytes | None = None) -> bytes:
    return subprocess.run(shlex.split(command), input=entered, capture_output=True, check=True).stdout


def write_all() -> None:
    source = HERE / "source.wav"
    run(f"sox -R -D -r 8000 -n -c 1 -b 32 {source} synth {FRAMES}s sine 300 sine 1410 gain -3")
    for name, how in SOX.items():
        run(f"sox -R -D {source} {how} {HERE}/sox-{name}.wav")
    run(f"sox -R -D {source} -b 16 {HERE}/sox-clipped.wav gain 12")
    run(f"sox -R -D {source} -b 16 {HERE}/sox-silent.wav vol 0")
    run(f"sox -R -D {source} -b 16 {HERE}/sox-padded.wav pad 4800s 5600s")
    raw = run(f"sox -R -D {source} -t raw -b 16 -")
    # Where the length is not known beforehand, there is none in the header.
    for bits in (16, 24):
        piped = run(f"sox -R -D -t raw -r 8000 -c 1 -b 16 -e signed - -b {bits} -t wav -", raw)
        (HERE / f"sox-pipe{bits}.wav").write_bytes(piped)
    for name, how in FFMPEG.items():
        run(f"ffmpeg -loglevel error -y -i {source} -fflags +bitexact {how} {HERE}/ffmpeg-{name}.wav")
    for name, how in FFMPEG_PIPES.items():
        piped = run(f"ffmpeg -loglevel error -i {source} {how} -f wav -")
        (HERE / f"ffmpeg-{name}.wav").write_bytes(piped)
    samples, rate = soundfile.read(source)
    for name, (container, subtype, channels) in SOUNDFILE.items():
        with soundfile.SoundFile(
            HERE / f"soundfile-{name}.wav", "w", rate, channels, subtype, format=container
        ) as file:
            file.title = "by soundfile"
            file.write(samples.repeat(channels).reshape(-1, channels) if channels > 1 else samples)
    tagged = HERE / "mutagen-id3.wav"
    tagged.write_bytes((HERE / "sox-s16-stereo.wav").read_bytes())
    tags = wave.WAVE(tagged)
    tags.add_tags()
    tags.tags.add(id3.TIT2(text=["Größe"]))
    tags.tags.add(id3.USLT(lang="eng", text="la la\nla"))
    tags.tags.add(id3.APIC(mime="image/png", data=b"\x89PNG not really"))
    tags.save()
    # No program at hand writes BW64, which is RF64 under another name (ITU-R BS.2088).
    long = (HERE / "ffmpeg-rf64.wav").read_bytes()
    (HERE / "renamed-bw64.wav").write_bytes(long.replace(b"RF64", b"BW64", 1))
    source.unlink()


def found_by_ffmpeg(path: Path) -> dict[str, object]:
    """What ffprobe tells of a file; and its levels, from the samples that ffmpeg decodes."""
    probed = json.loads(run(f"ffprobe -loglevel error -show_streams -show_format -of json {path}"))
    stream = probed["streams"][0]
    decoded = array.array("d", run(f"ffmpeg -loglevel error -i {path} -f f64le -c:a pcm_f64le -"))
    rms = math.sqrt(math.fsum(x * x for x in decoded) / len(decoded))
    peak = max(map(abs, decoded))
    return {
        "codec": stream["codec_name"],
        "sample_rate": int(stream["sample_rate"]),
        "channels": stream["channels"],
        "frames": len(decoded) // stream["channels"],
        "peak": round(20 * math.log10(peak), 2) if peak else None,
        "loudness": round(20 * math.log10(rms), 2) if rms else None,
        "title": probed["format"].get("tags", {}).get("title"),
    }


if __name__ == "__main__":
    write_all()
    table = {path.name: found_by_ffmpeg(path) for path in sorted(HERE.glob("*.wav")) if path != UNREAD}
    # ffmpeg decodes its only block to the end, beyond the length in `fact`.
    table["sox-ima.wav"]["frames"] = FRAMES
    # The same samples, with their length in the header.
    table[UNREAD.name] = table["ffmpeg-s24-mono.wav"]
    (HERE / "table.json").write_text(json.dumps(table, indent=1) + "\n")
