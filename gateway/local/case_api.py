"""A stand-in for the case API of probation: it knows the cases it was told, and notes what it is asked.

`python -m gateway.local.case_api SETTINGS.json` (see `Settings`). It answers those who have signed in by OAuth client
credentials, as HMPPS's services do. `PUT /answers` tells it cases (answers by path), `PUT /away` has it answer 503 to
everybody, `DELETE /away` ends that. Its log names no case: a path holds a person's number.
"""

import asyncio
import base64
import secrets
import sys
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from gateway.clock import system_clock

CLIENT: Final = "lasars-gateway"
SIGN_IN: Final = "/auth/oauth/token"
SECURE: Final = "/secure"
_WHOLE: Final = "/all"
"""How the path of a whole case ends; what else is asked of a case is a part of it."""
_EXPIRES: Final = 600


class Settings(BaseModel):
    """port: where to listen. client, secret: who may ask. log: the file to write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int
    client: str
    secret: str
    log: Path


class CaseApi:
    """The service."""

    def __init__(self, settings: Settings) -> None:
        self._who = "Basic " + base64.b64encode(f"{settings.client}:{settings.secret}".encode()).decode()
        self._token = secrets.token_urlsafe()
        self._answers: dict[str, Any] = {}
        self._away = False
        self._file = settings.log.open("ab")

    def close(self) -> None:
        """Close the log."""
        self._file.close()

    def application(self) -> web.Application:
        """Its HTTP side."""
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_put("/answers", self._learn)
        app.router.add_put("/away", self._leave)
        app.router.add_delete("/away", self._come_back)
        app.router.add_post(SIGN_IN, self._sign_in)
        app.router.add_get(SECURE + "{path:/.*}", self._answer)
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="live")

    async def _learn(self, request: web.Request) -> web.Response:
        self._answers |= orjson.loads(await request.read())
        return web.Response(status=204)

    async def _leave(self, _: web.Request) -> web.Response:
        self._away = True
        return web.Response(status=204)

    async def _come_back(self, _: web.Request) -> web.Response:
        self._away = False
        return web.Response(status=204)

    async def _sign_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        if self._away:
            return web.Response(status=503)
        if request.headers.get("authorization") != self._who or form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "invalid_client"}, status=401)
        return web.json_response({"access_token": self._token, "token_type": "Bearer", "expires_in": _EXPIRES})

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if self._away:
            return self._noted(path, web.Response(status=503))
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return self._noted(path, web.Response(status=401))
        if path not in self._answers:
            return self._noted(path, web.Response(status=404))
        return self._noted(path, web.json_response(body=orjson.dumps(self._answers[path])))

    def _noted(self, path: str, answer: web.Response) -> web.Response:
        """Write it down before it is told."""
        about = "case" if path.endswith(_WHOLE) else "part"
        line = {"what": "asked", "at": system_clock(), "about": about, "status": answer.status}
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()
        return answer


async def play(settings: Settings) -> None:
    """Play the service until cancelled."""
    api = CaseApi(settings)
    runner = web.AppRunner(api.application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", settings.port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        api.close()


if __name__ == "__main__":
    asyncio.run(play(Settings.model_validate_json(Path(sys.argv[1]).read_bytes())))
