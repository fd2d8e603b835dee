"""JSON in answers: found, parsed strictly, and checked against a schema."""
