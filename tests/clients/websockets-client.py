"""Python websockets' `async for`: an error is tried again, a clean end is the end. Says "open" for each connection, and
"gave up" at the end. Usage: websockets-client.py URL"""

import asyncio
import sys

import websockets


async def main():
    async for connection in websockets.connect(sys.argv[1]):
        print("open", flush=True)
        try:
            async for _ in connection:
                pass
        except websockets.ConnectionClosed:
            continue
        print("gave up", flush=True)
        break


asyncio.run(main())
