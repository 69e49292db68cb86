"""Where a request goes, as an application sees it that may be mounted below a root path."""


def path_in(scope: dict) -> str:
    """Return the path of a request below the root path."""
    path: str = scope.get("path", "")
    return path.removeprefix(scope.get("root_path", ""))
