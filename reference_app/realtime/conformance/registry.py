"""The checks, and how one is run."""

import asyncio
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import NamedTuple

from .deployment import Deployment
from .options import masked
from .results import FailedError, NotCheckedError, Outcome, Result, UnreachableError

Function = Callable[[Deployment], Awaitable[None]]


class Check(NamedTuple):
    """A promise, the function that checks it, and what to do where it is broken."""

    promise: str
    advice: str
    function: Function

    async def result(self, deployment: Deployment, end: float) -> Result:
        """Run the check until `end`, by the loop's clock.

        An exception is a failure of the deployment, told in one sentence.
        """
        try:
            async with asyncio.timeout_at(end):
                await self.function(deployment)
        except NotCheckedError as reason:
            return Result(self.promise, Outcome.NOT_CHECKED, masked(str(reason)))
        except (FailedError, UnreachableError) as failure:
            return self.failed(str(failure))
        except TimeoutError:
            return self.failed("Expected the checks to be over, but their time was up")
        except Exception as error:
            return self.failed(f"Expected an answer, but {error!r} was raised")
        return Result(self.promise, Outcome.PASSED)

    def failed(self, what: str) -> Result:
        return Result(
            self.promise, Outcome.FAILED, masked(f"{what.removesuffix('.')}; {self.advice}.")
        )


checks: list[Check] = []


def check(advice: str) -> Callable[[Function], Function]:
    """Enter a function among the checks. Its docstring is the promise."""

    def enter(function: Function) -> Function:
        promise = (function.__doc__ or function.__name__).split("\n")[0].removesuffix(".")
        checks.append(Check(promise, advice, function))
        return function

    return enter


def checks_of(families: list[ModuleType]) -> list[Check]:
    """Return the checks of these modules, in their order."""
    return [
        each
        for family in families
        for each in checks
        if each.function.__module__ == family.__name__
    ]
