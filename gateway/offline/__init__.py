"""What a sender can try on their own computer: an adapter run on files, without any server.

`check` says what would become of each record, without any personal value; `translate` shows the canonical events.
"""

from gateway.offline.check import Wanted, check
from gateway.offline.translate import translate

__all__ = ["Wanted", "check", "translate"]
