"""What is true: the canonical events, the identifiers they carry and the places they happen in.

Nothing here knows an agency, a broker, a store or a log.
"""
