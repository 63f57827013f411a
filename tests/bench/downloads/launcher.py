"""Run one command and write its cost to a file descriptor.

The cost is its exit code, seconds, CPU seconds and peak memory.

    python -I -S launcher.py DESCRIPTOR COMMAND...

A process of its own, and as small as Python can be: until it becomes the command, the child shares its parent's memory,
and that counts as the child's peak. What needs less than this is shown to need as much: about 9 MB.
"""

import os
import sys
import time

descriptor, command = int(sys.argv[1]), sys.argv[2:]
began = time.monotonic()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, descriptor)])
_, status, usage = os.wait4(child, 0)
seconds = time.monotonic() - began
unit = 1 if sys.platform == "darwin" else 1024
figures = (
    os.waitstatus_to_exitcode(status),
    seconds,
    usage.ru_utime + usage.ru_stime,
    usage.ru_maxrss * unit,
)
os.write(descriptor, " ".join(map(str, figures)).encode())
