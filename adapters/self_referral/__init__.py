"""People who ask for help themselves, as any LASARS types it in."""

from adapters.self_referral.adapter import build

__all__ = ["build"]
