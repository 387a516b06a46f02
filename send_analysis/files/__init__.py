"""What users hand in and what is written: read whole, checked, never half-written."""
