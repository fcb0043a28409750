"""One folder an agency: each turns what that agency really sends into canonical facts.

Adapters are pure. They see bytes and say what became of them; they know no broker, store, clock or log.
"""
