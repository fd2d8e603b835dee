"""What a training would need, told before it begins: memory, time and disk."""
