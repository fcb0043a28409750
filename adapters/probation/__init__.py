"""HM Prison and Probation Service: whom a court put under supervision, on what terms, and what became of it."""

from adapters.probation.adapter import build

__all__ = ["build"]
