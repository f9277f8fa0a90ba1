"""What users load: `Tagger` and `Translator`, and the results that they give."""

from canner.pipeline.results import EnglishView, FoundEntity, Tagged, TaggedSentence, Translated
from canner.pipeline.tagger import Tagger
from canner.pipeline.translator import Translator

__all__ = ["EnglishView", "FoundEntity", "Tagged", "TaggedSentence", "Tagger", "Translated", "Translator"]
