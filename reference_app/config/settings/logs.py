"""The lines that a deployment logs, each with the id of the connection that it is about."""

FORMATS = {
    "text": {"format": "%(asctime)s %(levelname)-8s %(name)s [%(connection)s] %(message)s"},
    "json": {
        "()": "pythonjsonlogger.json.JsonFormatter",
        # Further fields of a record, such as `consumer` and `code`, follow by themselves.
        "fmt": ["asctime", "levelname", "name", "connection", "message"],
        "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
    },
}


def log_format(value: str) -> str:
    if value not in FORMATS:
        raise ValueError(f"it is none of {', '.join(FORMATS)}")
    return value


def logging_as(form: str) -> dict:
    """Return LOGGING by which everything from INFO on goes to stderr in one form."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"connection": {"()": "realtime.monitoring.logs.ConnectionFilter"}},
        "formatters": {"lines": FORMATS[form]},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["connection"],
                "formatter": "lines",
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        # Django's own handlers would log the same a second time, or only with DEBUG.
        "loggers": {"django": {"handlers": [], "propagate": True}},
    }
