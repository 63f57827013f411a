"""What is submitted as `callBackUrl`: the receiver of this run, if it has one."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.endpoint import is_required, open_endpoint
from suno_wav_cli.callbacks.notifications import receive_notifications
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events.callbacks import Ready
from suno_wav_cli.models import TunnelMode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from suno_wav_cli.callbacks.endpoint import CallbackEndpoint
    from suno_wav_cli.conversion.context import ConversionContext


@asynccontextmanager
async def open_callback_url(
    context: ConversionContext, *, receive: bool, submits: bool
) -> AsyncIterator[Callable[[], Awaitable[str | None]]]:
    """Receive callbacks if `receive` says so. Yield what returns the URL to submit, or None.

    Raise TunnelFailed if the tunnel that was asked for cannot be opened, and UsageError. If nothing
    is submitted (`submits`), what was submitted earlier is polled in place of that.
    """
    settings = context.settings
    async with AsyncExitStack() as stack:
        endpoint = _open_endpoint(context, stack, submits=submits) if receive else None
        if endpoint is None:

            async def known() -> str | None:
                return settings.callback_url

            yield known
            return
        context.client.hide(endpoint.path)
        callback_url = await stack.enter_async_context(
            receive_notifications(
                endpoint, context.poller, context.download_terms.tls, settings.poll_interval, context.report
            )
        )
        if endpoint.required:
            await callback_url()
        yield callback_url


def _open_endpoint(
    context: ConversionContext, stack: AsyncExitStack, *, submits: bool
) -> CallbackEndpoint | None:
    """Bind the receiver's port. Return None, and report why, if this run polls."""
    settings, run = context.settings, context.run
    required, reason = is_required(settings), None
    if settings.callback_url is None and (required or settings.tunnel is not TunnelMode.NONE):
        try:
            endpoint = stack.enter_context(
                open_endpoint(settings, run.secrets, run.paths, port=settings.port or 0)
            )
            return replace(endpoint, required=required and submits)
        except TunnelFailed as error:
            if required and submits:
                raise
            reason = error.message
    context.report(Ready(public_url=None, poll_interval=settings.poll_interval, reason=reason))
    return None
