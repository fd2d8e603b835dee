"""Finding what a completion claims to be its answer, before anybody compares it with a key."""
