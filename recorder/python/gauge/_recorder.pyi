import os

__version__: str

def stop_at_exit() -> None:
    """End what this process records, as its end; failures are told on stderr."""

class Error(Exception):
    """What kept a recording from starting, or ended it: ``subject: what happened (facts); what to do``."""

class RecordingExistsError(Error, FileExistsError):
    """The file exists already, and was not to be replaced."""

class Stats:
    """How a recording is doing, or how it went."""

    @property
    def is_running(self) -> bool: ...
    @property
    def end_reason(self) -> str:
        """As in the file: "stop", "exit", "duration", "error: ..."; "fork" in a child; empty while running."""

    @property
    def reader(self) -> str:
        """How interpreter memory is read: "memfd", "process_vm_readv", "proc_mem"."""

    @property
    def ticks(self) -> int: ...
    @property
    def missed_ticks(self) -> int: ...
    @property
    def samples(self) -> int: ...
    @property
    def dropped_samples(self) -> int: ...
    @property
    def failed_reads(self) -> int: ...
    @property
    def retried_reads(self) -> int: ...
    @property
    def partial_stacks(self) -> int: ...
    @property
    def truncated_stacks(self) -> int: ...
    @property
    def unknown_names(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def parts(self) -> int:
        """Files that the recording went to so far; more than one only if it is rotated."""

    @property
    def sampler_cpu_ns(self) -> int: ...
    @property
    def writer_cpu_ns(self) -> int: ...

class Recorder:
    """What gauge.Recorder is a face of; times in nanoseconds, run ids of 16 bytes or none.

    duration 0 = without end, max_overhead 0 = any, rotate 0 = not by it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        interval_ns: int = 10_000_000,
        duration_ns: int = 0,
        max_overhead: float = 0.0,
        replace: bool = False,
        rotate_ns: int = 0,
        rotate_bytes: int = 0,
        run_id: bytes = b"",
        parent_run_id: bytes = b"",
    ) -> None: ...
    def start(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def flush(self, to_disk: bool = False) -> None: ...
    def stop(self, reason: str = "stop") -> None: ...
    @property
    def path(self) -> str: ...
    @property
    def stats(self) -> Stats: ...
    @property
    def is_paused(self) -> bool: ...
