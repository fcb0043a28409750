"""Department for Work and Pensions: who a Jobcentre refers, and who goes on and off benefit."""

from adapters.dwp.adapter import build

__all__ = ["build"]
