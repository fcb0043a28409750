"""What the gateway costs: measured against a bare loop that does the same work without any of the care."""
