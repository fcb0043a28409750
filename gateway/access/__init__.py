"""Who is calling: clients prove themselves by a signed assertion, and then carry a token of ten minutes."""
