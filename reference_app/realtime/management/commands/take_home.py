import re
import sys
from collections import Counter
from pathlib import Path

from django.core.management.base import BaseCommand

from ... import __version__
from ..comparing import UNCHANGED, compare, read_stamp
from ..copying import FOLDER, write_copy

# The section of the README that is the recipe, and its blocks that are pasted into any project.
RECIPE = "Put it into your project"
PASTED = re.compile(
    r"^```\w+\n((?:pip install|# mysite/settings\.py|# mysite/asgi\.py).*?)^```",
    re.MULTILINE | re.DOTALL,
)


class Command(BaseCommand):
    help = "Writes this app's folder into another project, or compares a copy with this version."
    # The settings of the project that it comes from have nothing to do with the copy.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser):
        parser.add_argument("target", type=Path, help="the project's folder, beside its apps")
        words = "the folder's name there, which is also the app's label (default: %(default)s)"
        parser.add_argument("--name", default=FOLDER.name, help=words)
        words = "say of each file what has become of it since; 1 is returned if anything has"
        parser.add_argument("--diff", action="store_true", help=words)

    def handle(self, target, name, diff, **options):
        if diff:
            return self.show_changes(target / name)
        copy = write_copy(target, name)
        self.stdout.write(f"Wrote version {__version__} to {copy}.\n\nPaste this:\n\n")
        page = (copy / "README.md").read_text(encoding="utf-8")
        recipe = page.partition(f"\n## {RECIPE}\n")[2].partition("\n## ")[0]
        for block in PASTED.findall(recipe):
            self.stdout.write(block + "\n")
        self.stdout.write(f"The rest is in {copy / 'README.md'}: {RECIPE}.")

    def show_changes(self, copy: Path) -> None:
        version, taken = read_stamp(copy)
        found = compare(copy, taken)
        self.stdout.write(f"{copy} is of version {version}, this is {__version__}.\n\n")
        for path, words in found.items():
            self.stdout.write(f"{words:<20} {path}")
        counts = Counter(found.values())
        said = ", ".join(f"{count} {words}" for words, count in sorted(counts.items()))
        self.stdout.write(f"\nFiles: {said}.")
        if set(counts) != {UNCHANGED}:
            sys.exit(1)
