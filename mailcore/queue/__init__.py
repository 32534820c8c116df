"""The outbound queue: the table is the truth, everything else only wakes its readers."""
