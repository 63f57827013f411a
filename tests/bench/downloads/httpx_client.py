"""A download as people write it with httpx.

python httpx_client.py URL FILE CERTIFICATE
"""

import ssl
import sys
from pathlib import Path

import httpx

url, target, certificate = sys.argv[1:]
with (
    httpx.stream(
        "GET", url, verify=ssl.create_default_context(cafile=certificate), trust_env=False
    ) as response,
    Path(target).open("wb") as file,
):
    response.raise_for_status()
    file.writelines(response.iter_bytes())
