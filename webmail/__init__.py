"""The Django project and its HTML front ends (RFC 5598's MUA and the administration console)."""
