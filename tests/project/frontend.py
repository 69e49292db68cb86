"""The parts of the browser client that are generated from the Python code."""

import json
import os
from hashlib import sha256

import django
from django.utils.module_loading import autodiscover_modules

from realtime.protocol.close_codes import CloseCode, Code
from tests.project.readme import ROOT

FRONTEND = ROOT / "reference_app" / "frontend"
CLIENT_BUNDLES = FRONTEND.parent / "realtime" / "static" / "realtime"
PAGE_BUNDLES = FRONTEND.parent / "demo" / "static" / "demo"
DIGEST = FRONTEND / "bundles.sha256"
CLOSE_CODES = FRONTEND / "src" / "realtime" / "closeCodes.ts"

TEMPLATE = """\
// Generated from reference_app/realtime/protocol/close_codes.py by `python -m tests.regenerate`.

/** The numbers of the codes that the server closes with, by name. */
export const CloseCode = {{
{numbers}
}} as const;

/** What is known of a code; `retryAfterMs` is null where coming back cannot help. */
export interface KnownCode {{
  name: string;
  meaning: string;
  retryAfterMs: number | null;
}}

/** Every code that the server closes with. */
export const KNOWN_CODES: Readonly<Record<number, KnownCode>> = {{
{rows}
}};
"""


def close_codes() -> str:
    """Return the text of closeCodes.ts."""
    codes = all_codes()
    numbers = "\n".join(f"  {code.name}: {code.value}," for code in codes)
    return TEMPLATE.format(numbers=numbers, rows="\n".join(map(_row, codes)))


def all_codes() -> list[Code]:
    """Return the codes of `realtime/`, then those in `close_codes.py` of each installed app."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    django.setup()
    autodiscover_modules("close_codes")
    others = [each for each in Code.__subclasses__() if each.__module__.endswith(".close_codes")]
    return [*CloseCode, *(code for each in others if each is not CloseCode for code in each)]


def _row(code: Code) -> str:
    known = {"name": code.name, "meaning": code.meaning, "retryAfterMs": code.retry_after_ms}
    lines = [f"    {key}: {json.dumps(value, ensure_ascii=False)}," for key, value in known.items()]
    return "\n".join([f"  {code.value}: {{", *lines, "  },"])


def digest() -> str:
    """Return the digest of what the bundles are built from, as build.mjs writes it."""
    names = ["build.mjs", "package-lock.json", "tsconfig.json"]
    paths = [FRONTEND / name for name in names]
    paths += [path for path in (FRONTEND / "src").rglob("*") if path.is_file()]
    read = sorted((path.relative_to(FRONTEND).as_posix(), path.read_text()) for path in paths)
    return sha256("".join(f"{name}\0{text}\0" for name, text in read).encode()).hexdigest()
