"""What ships or is made by recipes, and is read by the tables: by language."""

from __future__ import annotations

TEACHER = "models/teacher-en"
TEACHER_TYPES = frozenset({"PER", "LOC", "ORG", "MISC"})
"""What it finds: the types of CoNLL-2003."""
LANGUAGES = ("es", "de", "zh", "sw", "yo")
TRANSLATORS = {language: f"models/{language}-en" for language in LANGUAGES}
"""ConvS2S into English."""
ALIGNERS = {language: f"models/{language}-en-aligner" for language in LANGUAGES}
"""Alignment heads on these."""
GLOSSES = {language: f"models/{language}-en-gloss" for language in LANGUAGES}
"""Word glosses."""
DICTIONARY_GLOSSES = {"zh": "models/zh-en-gloss-cedict"}
"""Word glosses that read a dictionary, too."""
ENCODER = "runs/encoder-e5"
"""A multilingual encoder, in the place of the paper's BERT."""
ENGLISH_ENCODER = "runs/tagger-en-encoder"
"""A tagger of English that trained this encoder and reads nothing else."""
VECTORS = {language: f"runs/vectors-{language}/vectors.vec" for language in LANGUAGES}
"""Word vectors, of parallel text and training sentences; Chinese ones are of characters."""
EXTERNAL = ("es", "de")
"""The languages of which there is the English of other systems, in files."""
