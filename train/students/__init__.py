"""Students: model folders as they come in, are changed for training, and go out again."""
