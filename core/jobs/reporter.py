"""A worker's report of its device and models, published while it runs.

Weights may arrive at any time (`stemcrate models fetch`, or a copy), so the worker checks
repeatedly.
"""

import logging
import multiprocessing
import signal
import threading
from multiprocessing.connection import Connection

from core.errors import StemcrateError
from core.jobs.reports import DeviceReport, WorkerReport, WorkerReports
from core.pipeline.runtime import Runtime
from core.separation.device import resolve_device
from core.separation.inventory import take_inventory

logger = logging.getLogger(__name__)

_spawn = multiprocessing.get_context("spawn")


class Reporter:
    """Publishes this worker's report whenever it changes."""

    def __init__(self, reports: WorkerReports, executor_id: str, runtime: Runtime) -> None:
        self._reports = reports
        self._executor_id = executor_id
        self._runtime = runtime
        self._device = DeviceReport(name=None, reason="The worker is looking for its device.")
        self._published: WorkerReport | None = None
        self._looking = threading.Lock()

    def run(self, interval_s: float, stopping: threading.Event) -> None:
        """Run a round every ``interval_s`` seconds until the worker stops."""
        self.look()
        self._device = find_device(self._runtime.device)
        while not stopping.is_set():
            self.look()
            stopping.wait(interval_s)

    def look(self) -> None:
        """Synchronize once; for any thread. Never raises: the next look repeats what failed."""
        try:
            with self._looking:
                inventory = take_inventory(self._runtime.model_dir)
                report = WorkerReport(device=self._device, inventory=inventory)
                if report != self._published:
                    self._reports.publish(self._executor_id, report)
                    self._published = report
        except (StemcrateError, OSError) as error:
            logger.warning("cannot publish this worker's report: %s", error)
        except Exception:
            logger.exception("publishing this worker's report failed")


def find_device(name: str) -> DeviceReport:
    """Resolve a device in a child process, so that the worker itself never loads torch.

    Parameters
    ----------
    name : as `core.separation.device.resolve_device` takes it.
    """
    if name == "cpu":
        return _resolve(name)
    ours, theirs = _spawn.Pipe(duplex=False)
    process = _spawn.Process(target=_send_device, args=(name, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError:
        return DeviceReport(name=None, reason="The process that looked for devices died.")
    finally:
        process.join()
        ours.close()
    assert isinstance(found, DeviceReport)
    return found


def _send_device(name: str, connection: "Connection[object, object]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker handles Ctrl-C
    connection.send(_resolve(name))


def _resolve(name: str) -> DeviceReport:
    try:
        device = resolve_device(name)
    except StemcrateError as error:
        return DeviceReport(name=None, reason=str(error))
    return DeviceReport(name=device.name, reason=device.reason)
