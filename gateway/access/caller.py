"""The caller of a request, from the access token it carries.

Every route that is not public asks `Access.caller(request)` first, and shows a caller nothing but its own party's.
"""

from dataclasses import dataclass

from starlette.requests import Request

from gateway.access.tokens import TokenRefused, Tokens
from gateway.clock import Clock
from gateway.parties import Parties, Party
from gateway.problems import NOT_SIGNED_IN, Problem


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in client and the party it acts for."""

    client: str
    party: Party


class Access:
    """Tells who is calling.

    A token that was verified is remembered until it expires, because verifying a signature on every request would cost
    more than everything else at the door. At most `remembered` are.
    """

    def __init__(self, tokens: Tokens, parties: Parties, clock: Clock, *, remembered: int = 4096) -> None:
        self._tokens = tokens
        self._parties = parties
        self._clock = clock
        self._most = remembered
        self.remembered: dict[str, tuple[Caller, float]] = {}

    def caller(self, request: Request) -> Caller:
        """The caller of this request. Raises Problem (401) unless exactly one valid token is carried."""
        values = request.headers.getlist("authorization")
        return self.from_header(values[0] if len(values) == 1 else None)

    def from_header(self, value: str | None) -> Caller:
        """The caller an Authorization header names. Raises Problem (401)."""
        if value is None:
            raise _refused("The request carries no access token, or more than one.")
        scheme, _, token = value.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _refused("The Authorization header is not of the form Bearer, space, token.")
        now = self._clock().timestamp()
        known = self.remembered.get(token)
        if known is not None and known[1] > now:
            return known[0]
        return self._verify(token, now)

    def _verify(self, token: str, now: float) -> Caller:
        self.remembered.pop(token, None)
        try:
            grant = self._tokens.read(token, now)
        except TokenRefused as refused:
            raise _refused(refused.sentence, error="invalid_token") from None
        bound = self._parties.client(grant.client)
        if bound is None:
            raise _refused("The client of this access token is no longer registered.", error="invalid_token")
        if len(self.remembered) >= self._most:
            self.remembered = {kept: told for kept, told in self.remembered.items() if told[1] > now}
            if len(self.remembered) >= self._most:
                self.remembered.clear()
        caller = Caller(client=grant.client, party=bound[0])
        self.remembered[token] = (caller, grant.expires)
        return caller


def _refused(sentence: str, *, error: str | None = None) -> Problem:
    # RFC 6750 section 3: no error code where no token was told.
    challenge = 'Bearer realm="lasars-gateway"' + (f', error="{error}"' if error else "")
    return Problem(NOT_SIGNED_IN, sentence, headers={"www-authenticate": challenge})
