"""Views of the console, one module a topic. `urls` lets operators in and nobody else."""
