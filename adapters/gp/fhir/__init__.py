"""Referrals as bundles of the NHS Booking and Referral Standard (BaRS): FHIR R4 in JSON and XML."""
