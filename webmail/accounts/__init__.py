"""Sign-in, sign-out and the settings of an account."""
