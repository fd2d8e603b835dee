"""Room that a training takes on the disk of its work directory."""

from __future__ import annotations

from .memory import BYTES
from .subject import Subject


def disk_of(subject: Subject) -> dict[str, int]:
    """Bytes of a checkpoint, of the result, and of all that lies there at once.

    A checkpoint is the trained weights and AdamW's two numbers for each. The next one is whole
    before the last one is removed, and the best one stays beside them.
    """
    lora, parameters = subject.stage.lora, subject.parameters
    trained = parameters.trained_bytes
    base = parameters.total - (parameters.trained if lora else 0)
    merged = 0 if lora and lora.save == "adapter" else base * BYTES[subject.numerics.arithmetic]
    result = merged + (trained if lora else 0)
    checkpoints = 3 if subject.stage.keep == "best" else 2
    return {
        "checkpoint": 3 * trained,
        "result": result,
        "most": checkpoints * 3 * trained + result,
    }
