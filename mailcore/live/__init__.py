"""Tells open pages at once that something of a mailbox changed: ids only, never content.

`channel` tells, from any process, after a COMMIT; `watch` hears, in web processes. The tables are
the truth: a notice that is lost costs seconds, because whoever hears also looks there.
"""
