"""The steps of a command: numbered, with a sign of life, ended by one sentence."""
# As in dev.py: only the standard library, no syntax newer than Python 3.6, quoted annotations.

import subprocess
import time

from devtools.places import ROOT, environment_folder

HEARTBEAT = 10  # seconds between the signs of life of a long step
LOG_TAIL = 25  # lines of a failed step's output that are shown


class Stop(Exception):  # noqa: N818 - it carries one sentence for the user and the exit status, whatever the cause
    """Ends dev.py with one sentence."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


class Steps:
    """Numbers the steps and shows that each is alive, done or failed."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.number = 0

    def begin(self, what: str, end: str = "\n") -> None:
        """Announce the next step."""
        self.number += 1
        print(f"{self.number}/{self.total} {what}", end=end, flush=True)

    def run(self, what: str, command: "list[str]") -> int:
        """Run a quiet command as the next step; show the end of its output only when it fails."""
        self.begin(what, end=" ...")
        started = time.monotonic()
        log = environment_folder() / f"step-{self.number}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            status = wait(process)
        print(f" {'failed' if status else 'done'} in {time.monotonic() - started:.0f} s", flush=True)
        if status:
            print("\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:]), flush=True)
        return status


def shell_status(status: int) -> int:
    """Give the exit status that a shell shows: 128 + the number of the signal for a process that one ended."""
    return status if status >= 0 else 128 - status


def wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a quiet process with a sign of life; give its exit status."""
    seconds = 0
    while True:
        try:
            return shell_status(process.wait(timeout=HEARTBEAT))
        except subprocess.TimeoutExpired:
            seconds += HEARTBEAT
            print(f" {seconds} s", end=" ...", flush=True)
