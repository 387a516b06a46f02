"""Places, assessments, staff and cost against demand."""
