"""The message store, MDA side: the only code that reads and writes messages (RFC 5598, 4.3).

Every change goes through one service that locks the Mailbox row, takes one modseq, changes rows,
counters, tombstones and quota, writes the modseq last and publishes after COMMIT.
"""
