"""Logging: modules use the standard library's loggers, entry points add the one handler."""

import logging
import sys

import structlog


def configure_logs(*, level: str, as_json: bool) -> None:
    """Send ``patrolgrid.*`` records to standard error, through structlog's renderers.

    Parameters
    ----------
    level : str
        Least severe level shown.
    as_json : bool
        One JSON object a line instead of text.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=False,
            exception_formatter=structlog.dev.plain_traceback,  # the others print local values
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logger = logging.getLogger("patrolgrid")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
