"""A process that delivers and does nothing else: `python -m tests.support.delivering DSN KEYFILE URL RECIPIENT`.

It dies where GATEWAY_CRASH says.
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from gateway import failpoints, telemetry
from gateway.clock import system_clock
from gateway.delivery.loop import DeliveryLoop
from gateway.parties import Body, Parties, Party, Push
from gateway.sealing import Sealer, Secrets, Signer
from gateway.settings import Delivery
from tests.support.deliveries import engine_of


async def main(dsn: str, key_file: str, url: str, recipient: str) -> None:
    """Deliver until killed."""
    secrets = Secrets.read(Path(key_file))
    push = Push(url=url, body=Body.FULL)
    parties = Parties((Party(id=recipient, name=recipient, recipient=True, push=push),))
    settings = Delivery(waits=(timedelta(milliseconds=50),))
    async with engine_of(dsn) as engine:
        failpoints.arm(os.environ.get("GATEWAY_CRASH"))
        await DeliveryLoop(engine, parties, Sealer(secrets.kek), Signer(secrets.signing), settings, system_clock).run()


if __name__ == "__main__":
    telemetry.configure("delivering", strict=True)
    asyncio.run(main(*sys.argv[1:]))
