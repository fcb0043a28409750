"""HM Prison and Probation Service: where a person is held, until when, and what a prison's drug team finds."""

from adapters.prison.adapter import build

__all__ = ["build"]
