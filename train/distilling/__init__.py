"""Learning from a teacher's next-token distributions, on given text or on the student's own."""
