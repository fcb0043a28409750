"""Who it is: from what a record claims to the person we know."""
