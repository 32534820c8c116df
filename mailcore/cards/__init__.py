"""Address cards as files: vCard (RFC 6350, RFC 2426) and CSV, in and out. Pure.

What is read comes from anywhere: nothing raises, every fault is told of the row that has it.
"""
