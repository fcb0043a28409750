"""The front door: what comes in is authenticated, translated, committed to the journal, and only then answered."""
