"""What the context of a run decides by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.account import open_account
from tests.support.context import a_customer


def test_where_a_file_is_made_is_told_without_a_look_at_the_disk() -> None:
    """It is asked of each song of a large list."""

    async def story() -> list[Path]:
        async with customer.waiting() as context:
            return [
                context.local_file("one", Path("/s3:/bucket/two.wav")),
                context.local_file("one", Path("two.wav")),
            ]

    with open_account() as account, a_customer(account) as customer:
        assert asyncio.run(story()) == [Path("piped/one.wav"), Path("two.wav")]
    assert list(Path().iterdir()) == []
