"""The shipped tables together: every kind of step and filter a recipe may name."""

from .filters import FILTERS
from .pipeline.catalog import Catalog
from .stages import STAGES
from .train import TRAINERS

CATALOG = Catalog(STAGES | TRAINERS, FILTERS)
