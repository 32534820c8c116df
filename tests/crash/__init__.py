"""Kills processes under load and counts the mail (guarantees G1, G2, G3, G7, G8, G13)."""
