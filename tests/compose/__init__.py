"""The compose stack: what its files say, and (`make compose-test`) what it does for real."""
