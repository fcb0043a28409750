"""Referrals and demographics of clinical systems and hospitals: HL7 v2 in ER7, answered by ACK."""
