"""What a run is: samples, verdicts, recipes, the graph, artifacts on disk and running it.

Knows no concrete model, filter or stage.
"""
