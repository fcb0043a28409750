"""What the feeds of HM Prison and Probation Service share: envelope, spelling, checks, and how their sources are asked.

No agency of its own: prison and probation both read it, and neither knows the other.
"""
