"""The parts of the browser client that are generated from the Python code."""

import json
from hashlib import sha256

from realtime.protocol.close_codes import CloseCode
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
    numbers = "\n".join(f"  {code.name}: {code.value}," for code in CloseCode)
    return TEMPLATE.format(numbers=numbers, rows="\n".join(map(_row, CloseCode)))


def _row(code: CloseCode) -> str:
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
