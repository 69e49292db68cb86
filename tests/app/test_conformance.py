"""The command line of the conformance kit, and what it says where nothing can be checked."""

import os
import shutil
import subprocess
import sys
import time

import jwt
import pytest

from realtime.conformance import __main__ as command_line
from realtime.conformance.options import masked, parsed
from realtime.conformance.registry import Check
from realtime.conformance.results import FailedError, Outcome
from tests.project.readme import REALTIME
from tests.wire.servers import free_port


def token(**claims) -> str:
    return jwt.encode({"sub": "alice"} | claims, "k" * 32)


ALICE, BOB = token(), token(sub="bob")
RIGHT = ["wss://host/ws/", "--token", ALICE, "--other-token", BOB]

# By what is wrong, the arguments and what is said.
WRONG = {
    "no token": (RIGHT[:1], "required: --token, --other-token"),
    "no address": (RIGHT[1:], "required: url"),
    "http": (["http://host/", *RIGHT[1:]], "write it as wss://host/path/, without a query"),
    "a query": (["ws://host/?token=x", *RIGHT[1:]], "write it as wss://host/path/"),
    "no JWT": (["ws://host/", "--token", "x", "--other-token", BOB], "--token is no JWT"),
    "no claims": (["ws://host/", "--token", "a.W10.b", "--other-token", BOB], "is no JWT"),
    "one user": (["ws://host/", "--token", ALICE, "--other-token", token(exp=2**40)], "same user"),
    "expired": (
        ["ws://host/", "--token", token(exp=time.time() - 5), "--other-token", BOB],
        "--token has expired, or will within 30 s",
    ),
    "a misspelled option": ([*RIGHT, "--tokn", ALICE], "unrecognized arguments: --tokn …"),
    "no number": ([*RIGHT, "--idle", ALICE], "--idle"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_command_line_ends_with_2_and_one_sentence_without_a_token(arguments, said, capsys):
    with pytest.raises(SystemExit) as end:
        parsed(arguments)
    told = capsys.readouterr().err
    assert (end.value.code, told.count("\n")) == (2, 1)
    assert said in told
    assert ALICE not in told and BOB not in told


def test_arguments_can_be_read_from_a_file_that_no_list_of_processes_shows(tmp_path):
    file = tmp_path / "arguments"
    file.write_text("\n".join(RIGHT[1:]))
    assert parsed([RIGHT[0], f"@{file}"]) == parsed(RIGHT)


def test_no_part_of_a_token_is_shown():
    assert masked(f"{ALICE}, {ALICE.rpartition('.')[0]}. yes") == "…, … yes"


def test_copy_under_another_name_needs_no_settings(tmp_path):
    shutil.copytree(REALTIME.parent, tmp_path / "live", ignore=shutil.ignore_patterns("*.pyc"))
    variables = {key: value for key, value in os.environ.items() if "DJANGO" not in key}
    command = [sys.executable, "-m", "live.conformance", f"ws://127.0.0.1:{free_port()}/"]
    kit = subprocess.run(
        [*command, *RIGHT[1:]], cwd=tmp_path, env=variables, capture_output=True, text=True
    )
    assert (kit.returncode, kit.stdout) == (2, "")
    assert "cannot be reached" in kit.stderr


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["conformance", *arguments])
    return command_line.main()


def test_server_that_cannot_be_reached_is_2_and_one_sentence(monkeypatch, capsys):
    address = f"ws://127.0.0.1:{free_port()}/ws/"
    assert run(monkeypatch, address, *RIGHT[1:]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{address} cannot be reached (") and told.count("\n") == 1


def test_missing_client_is_named(monkeypatch, capsys):
    monkeypatch.setattr(command_line, "NEEDED", "no_such_library")
    assert run(monkeypatch, *RIGHT) == 2
    assert "pip install 'no_such_library>=" in capsys.readouterr().err


def test_interruption_is_one_line(monkeypatch, capsys):
    def interrupt(running):
        running.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("asyncio.run", interrupt)
    assert run(monkeypatch, *RIGHT) == 130
    assert capsys.readouterr().err == "Interrupted. Every socket is closed.\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FailedError("a pong", "nothing came"), "Expected a pong, but nothing came; do it."),
        (ZeroDivisionError(ALICE), "Expected an answer, but ZeroDivisionError('…') was raised; do"),
        (TimeoutError(), "Expected the checks to be over, but their time was up; do it."),
    ],
)
async def test_check_that_raises_is_a_failed_row(error, said):
    async def fail(deployment):
        raise error

    result = await Check("It is so", "do it", fail).result(None, end=2**40)
    assert (result.promise, result.outcome) == ("It is so", Outcome.FAILED)
    assert result.words.startswith(said)
