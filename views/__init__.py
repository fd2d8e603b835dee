"""Read-only looks at a run: terminal, HTML report, local web page."""
