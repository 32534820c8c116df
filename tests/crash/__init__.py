"""Kills processes under load and counts the mail (guarantees G1 to G5, G7, G8, G13)."""
