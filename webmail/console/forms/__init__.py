"""Forms of the console. Each names its fields one by one: nothing else of a request counts."""
