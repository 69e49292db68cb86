"""Shows source, tables, bars and a live page in a notebook."""

import inspect
import json
import textwrap
from pathlib import Path

from .elsewhere import page_address
from .servers import Launched


class show:
    """Shows the source of a class, a function, a module or a file, as it is today."""

    def __init__(self, thing):
        is_file = isinstance(thing, Path)
        source = thing.read_text() if is_file else inspect.getsource(thing)
        self.source = textwrap.dedent(source).rstrip()
        self.language = thing.suffix[1:] if is_file else "python"

    def __repr__(self) -> str:
        return self.source

    def _repr_mimebundle_(self, **kwargs) -> dict:
        fenced = f"```{self.language}\n{self.source}\n```"
        return {"text/markdown": fenced, "text/plain": self.source}


class table:
    """Shows rows, dicts with the same keys, as a table in Markdown and in text."""

    def __init__(self, rows: list[dict]):
        self.rows = [[str(cell) for cell in row] for row in (rows[0], *map(dict.values, rows))]

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in self.rows)

    def _repr_mimebundle_(self, **kwargs) -> dict:
        head, *rows = (f"| {' | '.join(row)} |" for row in self.rows)
        rule = "|---" * len(self.rows[0]) + "|"
        return {"text/markdown": "\n".join([head, rule, *rows]), "text/plain": repr(self)}


class bars:
    """Shows numbers by their names as a bar chart: Mermaid where it is drawn, text elsewhere."""

    # With labels on the axis of numbers, Mermaid would give a bar of zero half their width.
    LOOK = {
        "xyChart": {"width": 800, "yAxis": {"showLabel": False, "showTick": False}},
        "themeVariables": {"xyChart": {"plotColorPalette": "#4477aa"}},
    }

    def __init__(self, title: str, numbers: dict[str, float]):
        self.title, self.numbers = title, numbers
        self.most = max(numbers.values()) or 1

    def mermaid(self) -> str:
        names = ", ".join(f'"{name}: {number:,g}"' for name, number in self.numbers.items())
        look = self.LOOK | {
            "xyChart": self.LOOK["xyChart"] | {"height": 80 + 40 * len(self.numbers)}
        }
        lines = [
            f"%%{{init: {json.dumps(look)}}}%%",
            "xychart-beta horizontal",
            f'    title "{self.title}"',
            f"    x-axis [{names}]",
            f"    y-axis 0 --> {self.most}",
            f"    bar {list(self.numbers.values())}",
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        longest = max(map(len, self.numbers))
        rows = [
            f"{name:>{longest}}  {'█' * round(40 * number / self.most)} {number:,g}"
            for name, number in self.numbers.items()
        ]
        return "\n".join([self.title, *rows])

    def _repr_mimebundle_(self, **kwargs) -> dict:
        return {"text/vnd.mermaid": self.mermaid(), "text/plain": repr(self)}


class frame:
    """Shows a server's page, live, where somebody looks; what is saved is a picture in its place.

    The page, and a link to it, come as an update of that picture, because the address differs from
    run to run. Where the reader's browser cannot reach the server, the picture stays.
    """

    LIVE = (
        "Here is the page, while this notebook runs in JupyterLab. Until then, this is a picture:"
    )
    NONE = "The page cannot be shown here, because it needs JupyterLab with jupyter-server-proxy."
    PICTURE = "![The page, with Alice and Bob side by side](recorded/page_in_chromium_light.png)"
    # At 70 percent of its size: the page puts two people side by side where it has the room.
    SHRUNK = (
        "width: 142.9%; height: 142.9%; transform: scale(0.7); transform-origin: 0 0; border: 0"
    )

    def __init__(self, server: Launched, height: int = 720):
        self.url = page_address(int(server.address.rpartition(":")[2]))
        self.height = height

    @property
    def html(self) -> str:
        link = f'<a href="{self.url}" target="_blank">Open the page in a tab of its own</a>'
        page = f'<iframe src="{self.url}" style="{self.SHRUNK}"></iframe>'
        box = f"height: {self.height}px; overflow: hidden"
        return f'<p>{link}</p><div style="{box}">{page}</div>'

    def stand_in(self) -> dict:
        sentence = self.LIVE if self.url else self.NONE
        return {"text/markdown": f"{sentence}\n\n{self.PICTURE}", "text/plain": sentence}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        handle = display(self.stand_in(), raw=True, display_id=True)
        if self.url:
            handle.update({"text/html": self.html}, raw=True)
