"""HTML mail made showable: sanitised, folded, turned into text, set into its own document.

Pure: strings in, strings out. The sandboxed frame and its policy are the wall that keeps a hostile
message in; what is here is the second line, and privacy: nothing in the result loads from, links
from or names anything that the reader did not ask for. Fetches no image and serves no route.
"""
