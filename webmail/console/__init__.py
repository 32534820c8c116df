"""The console: what operators see and change. Everybody else finds nothing at its addresses."""
