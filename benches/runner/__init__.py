"""What the results table and the comparison share: servers, loads, and the search between them.

Python's standard library alone, so that it runs on any Debian machine as it is.
"""
