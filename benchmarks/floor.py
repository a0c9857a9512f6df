"""The floor: the same requests in the same chains, fired by bare httpx and not looked at.

Usage: python floor.py SCRIPT.json CONCURRENCY. The script is made by `run.py` from a recorded run.
"""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys
from typing import Any

import httpx


async def main(jobs: list[dict[str, Any]], concurrency: int) -> None:
    """Fire every request as soon as what it waits for is answered."""
    waiting = {number: set(job["after"]) for number, job in enumerate(jobs)}
    ready: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
    for number, needs in waiting.items():
        if not needs:
            ready.put_nowait(number)

    async with httpx.AsyncClient(verify=False) as client:  # noqa: S501 - loopback, plain HTTP

        async def fire(request: dict[str, Any]) -> None:
            response = await client.request(
                request["method"],
                request["url"],
                headers=request["headers"],
                content=request["body"].encode() or None,
                timeout=60,
            )
            response.read()

        async def work() -> None:
            while True:
                number = await ready.get()
                for turn in jobs[number]["turns"]:
                    await asyncio.gather(*map(fire, turn))
                for other, needs in waiting.items():
                    if number in needs:
                        needs.discard(number)
                        if not needs:
                            ready.put_nowait(other)
                ready.task_done()

        workers = [asyncio.create_task(work()) for _ in range(concurrency)]
        await ready.join()
        for worker in workers:
            worker.cancel()


if __name__ == "__main__":
    script = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(main(script, int(sys.argv[2])))
