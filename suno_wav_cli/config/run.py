"""What every command is given besides its own arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from suno_wav_cli.api.timing import ApiTiming
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.config.settings import is_own_sandbox
from suno_wav_cli.config.usual_service import UsualService
from suno_wav_cli.config.wait_limits import WaitLimits
from suno_wav_cli.remote.limits import UploadLimits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from suno_wav_cli.config.credentials import Secrets
    from suno_wav_cli.config.paths import Paths
    from suno_wav_cli.config.settings import Choice, Settings
    from suno_wav_cli.events import Report


@dataclass(frozen=True, kw_only=True)
class Run:
    """One start of the program.

    `choices` says where each of the settings comes from. `environ` is the environment without
    secrets. `interactive` says whether `report` shows events to a person at a terminal. `argv` is
    the command as it was typed. `usual_service` is where a command goes that names no service. `wait_limits`,
    `api_timing` and `upload_limits` are not the user's to set.
    """

    settings: Settings
    choices: tuple[Choice, ...]
    secrets: Secrets
    environ: Mapping[str, str]
    report: Report
    interactive: bool
    wait_limits: WaitLimits = field(default_factory=WaitLimits)
    api_timing: ApiTiming = field(default_factory=ApiTiming)
    upload_limits: UploadLimits = field(default_factory=UploadLimits)
    argv: tuple[str, ...] = ()
    usual_service: UsualService = field(default_factory=UsualService)

    @property
    def paths(self) -> Paths:
        """Where this run finds the journal, the keys and the rest. Raise UsageError."""
        return find_paths(self.environ)

    @property
    def journal_path(self) -> Path:
        """The journal of the service: conversions at this program's own sandbox have another one."""
        return self.paths.sandbox_journal if is_own_sandbox(self.settings) else self.paths.journal

    @property
    def service_options(self) -> tuple[str, ...]:
        """The options that lead another command to the service of this run."""
        return self.options_to(self.settings.provider, self.settings.base_url)

    def options_to(self, provider: str, base_url: str | None) -> tuple[str, ...]:
        """Return the options that lead another command to a service. See UsualService."""
        return self.usual_service.options_to(provider, base_url)

    @property
    def address_from(self) -> str | None:
        """Return the option, the variable or the line that names the service's address, if there is one."""
        return next((choice.place for choice in self.choices if choice.name == "base_url"), None)
