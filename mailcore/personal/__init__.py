"""What belongs to a person: the people they write to."""
