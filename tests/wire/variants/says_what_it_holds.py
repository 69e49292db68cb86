"""The application, which answers at /held/ how many objects of each type its process holds."""

import gc
import json
import sys
from collections import Counter

from config.asgi import application as reference

# What Python has allocated, also for objects that the garbage collector does not know, such as
# strings, and for those that it does.
BLOCKS = "allocated blocks"


def held() -> Counter[str]:
    gc.collect()
    types = Counter(
        f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects()
    )
    return types | {BLOCKS: sys.getallocatedblocks()}


def name_of_type(each: object) -> str:
    return f"{type(each).__module__}.{type(each).__qualname__}"


async def application(scope, receive, send):
    if scope["type"] != "http" or scope["path"] != "/held/":
        return await reference(scope, receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(held()).encode()})
