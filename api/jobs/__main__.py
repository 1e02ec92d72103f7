"""A supervisor: ``python -m api.jobs --store SETTING``."""

import argparse
import os
import signal
import sys
import threading
from types import FrameType

from api.i18n import explain
from api.jobs.supervisor import Supervisor
from api.jobs.task import LARGEST
from api.logs import configure_logs
from api.settings import Settings, read_settings
from geo.errors import PatrolgridError

EXIT_INPUT = 2


def main() -> int:
    """Run jobs until a signal, or until whoever started it is gone."""
    parser = argparse.ArgumentParser(prog="python -m api.jobs", description=__doc__)
    parser.add_argument("--store", help="path of a GeoPackage, or postgresql://...")
    parser.add_argument(
        "--tied",
        action="store_true",
        help="read the settings from standard input and end when it does",
    )
    options = parser.parse_args()
    stop = threading.Event()
    _stop_on_signals(stop)
    try:
        settings = _settings_of_parent(stop) if options.tied else read_settings()
        configure_logs(level=settings.log_level, as_json=settings.log_json)
        Supervisor(options.store or settings.store, settings).run(stop)
    except PatrolgridError as error:
        sys.stderr.write(f"✕ {explain(error, 'en')}\n")
        return EXIT_INPUT
    return 0


def _stop_on_signals(stop: threading.Event) -> None:
    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, ask)


def _settings_of_parent(stop: threading.Event) -> Settings:
    """Return the settings whoever started us wrote, and set the token when he is gone."""
    line = sys.stdin.buffer.readline(LARGEST)

    def wait() -> None:
        while os.read(0, 64):
            pass
        stop.set()

    threading.Thread(target=wait, name="parent", daemon=True).start()
    return Settings.model_validate_json(line)


if __name__ == "__main__":
    sys.exit(main())
