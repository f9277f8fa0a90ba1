"""canner: named entities in languages with few labels, by reading the English translation backwards.

```python
import canner

tagger = canner.Tagger.load("models/es-can")
for entity in tagger.tag("El presidente Juan Pérez llegó a Lima.").entities:
    print(entity.type, entity.text, entity.start, entity.end, entity.confidence)
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from canner.pipeline import Tagged, Tagger, Translated, Translator

__all__ = ["Tagged", "Tagger", "Translated", "Translator", "__version__"]
__version__ = "0.1.0"
_LATE = ("Tagged", "Tagger", "Translated", "Translator")


def __getattr__(name: str) -> Any:
    # Late, so that `import canner.text` needs no torch.
    if name in _LATE:
        return getattr(importlib.import_module("canner.pipeline"), name)
    raise AttributeError(f"module 'canner' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
