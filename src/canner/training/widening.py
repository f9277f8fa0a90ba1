"""Giving a tagger whose word vectors are frozen the vectors of words that it did not meet in training."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from canner.data.tagging import TaggingEncoder
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import make_model
from canner.text.vectors import Vectors
from canner.text.vocabulary import Vocabulary


def widen_vocabulary(tagger: SentenceTagger, words: Sequence[str], vectors: Vectors) -> SentenceTagger:
    """The same tagger with more words.

    Frozen vectors are what they were before training, so vectors of the same source for other words fit beside
    them. A teacher reads translations: it will meet names that its training text did not hold.

    Args:
        tagger: trained with `freeze_words`.
        words: new words, in the form in which the tagger looks words up; those it knows are left alone.
        vectors: of `words`, from the source of the tagger's own; words without one stay unknown.

    Raises:
        ValueError: the tagger trains its word vectors, has none, or they have another width.
    """
    model, encoder = tagger.model, tagger.encoder
    if model.piece_encoder is not None:
        raise ValueError(
            "expected a tagger of word vectors, got one with an encoder of its own; train it anew"
        )
    if encoder.words is None or model.word_embedding is None or not model.config.freeze_words:
        raise ValueError(
            "expected a tagger with frozen word vectors, got one without; set model.freeze_words"
        )
    if vectors.matrix.shape[1] != model.config.word_dim:
        raise ValueError(
            f"expected vectors of width {model.config.word_dim}, got {vectors.matrix.shape[1]}; "
            "take those that the tagger was trained with"
        )
    known = encoder.words
    new = [i for i, word in enumerate(words) if vectors.found[i] and word not in known]
    widened = Vocabulary([*known.items[len(known.specials) :], *(words[i] for i in new)])
    matrix = torch.cat([model.word_embedding.weight.detach().cpu(), torch.from_numpy(vectors.matrix[new])])
    larger = make_model(
        model.config,
        TaggingEncoder(encoder.config, widened, encoder.characters, encoder.tags),
        features_dim=model.sizes.features_dim,
        aligned_dim=model.sizes.aligned_dim,
        word_vectors=matrix,
    )
    state = {name: value for name, value in model.state_dict().items() if name != "word_embedding.weight"}
    larger.load_state_dict(state, strict=False)
    widened_encoder = TaggingEncoder(encoder.config, widened, encoder.characters, encoder.tags)
    return SentenceTagger(larger.to(tagger.device).eval(), widened_encoder, tagger.embedders)
