"""Rows as the trainer meets them: rendered, split where asked, packed and put in order."""
