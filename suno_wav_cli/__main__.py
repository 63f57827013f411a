"""`python -m suno_wav_cli` is `suno-wav`."""

from suno_wav_cli.cli.main import main

if __name__ == "__main__":
    main()
