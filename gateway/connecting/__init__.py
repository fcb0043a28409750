"""Connecting a system to a gateway: what an agency's or a recipient's own people run, on their own computer.

Nothing here is part of the running gateway. It meets it as any client does, over its API.
"""
