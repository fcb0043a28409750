"""Registrations as interchanges of the health authorities: EDIFACT FHSREG, answered by RECEP."""
