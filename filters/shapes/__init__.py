"""The shape of a completion: think tags, debris of templates, code and tables in it."""
