"""A tagger model together with its vocabularies: sentences in, entities and hidden states out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from canner.data.bucketing import bucket_by_length
from canner.data.embedding import WordEmbedder
from canner.data.tagging import TaggingEncoder
from canner.models.tagger import Prediction, TaggerInputs, TaggerModel
from canner.tagging.checkpoint import Checkpoint
from canner.tagging.tagger_batch import make_batch
from canner.text.entities import Entity
from canner.text.schemes import decode_tags
from canner.text.sentence import Sentence

_BATCH_TOKENS = 4096


class SentenceTagger:
    """Tags sentences with a `TaggerModel`.

    Args:
        model: the trained (or to be trained) model.
        encoder: its vocabularies.
        embedders: give the frozen embeddings that the model takes as `features`, side by side.
        checkpoint: what the model's own pretrained encoder was before training; None: it has none.
    """

    def __init__(
        self,
        model: TaggerModel,
        encoder: TaggingEncoder,
        embedders: Sequence[WordEmbedder] = (),
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.model = model
        self.encoder = encoder
        self.embedders = tuple(embedders)
        self.checkpoint = checkpoint

    @property
    def tags(self) -> list[str]:
        """The tags in the order of the model's last axis."""
        return list(self.encoder.tags.items)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def entities(
        self,
        sentences: Sequence[Sequence[str]],
        *,
        features: Sequence[Tensor] | None = None,
        aligned: Sequence[Tensor] | None = None,
        confidence: bool = False,
    ) -> list[list[Entity]]:
        """The entities of each sentence, from the best sequence of tags.

        Args:
            sentences: tokens of each sentence; none empty.
            features: frozen embeddings [S, E] of each, computed before; None: computed here.
            aligned: features carried over from English [S, F]; needed by a model that was trained with them.
            confidence: also give each entity its exact probability under the CRF.
        """
        tags = self.tags
        found: list[list[Entity]] = [[] for _ in sentences]
        for indices, inputs in self.batches(sentences, features=features, aligned=aligned):
            prediction = self.model.predict(inputs)
            rows = prediction.tag_ids.tolist()
            spans = [
                decode_tags([tags[i] for i in row[: len(sentences[index])]])
                for row, index in zip(rows, indices, strict=True)
            ]
            if confidence:
                spans = self._with_confidence(prediction, inputs, spans)
            for index, entities in zip(indices, spans, strict=True):
                found[index] = entities
        return found

    def _with_confidence(
        self, prediction: Prediction, inputs: TaggerInputs, spans: Sequence[Sequence[Entity]]
    ) -> list[list[Entity]]:
        """The entities with their probabilities under the CRF as scores."""
        places = [(row, e.start, e.end) for row, entities in enumerate(spans) for e in entities]
        if not places:
            return [list(entities) for entities in spans]
        widest = max(end - start for _, start, end in places)
        tag_ids = torch.zeros(len(places), widest, dtype=torch.long, device=self.device)
        for index, (row, start, end) in enumerate(places):
            tag_ids[index, : end - start] = prediction.tag_ids[row, start:end]
        where = torch.tensor(places, device=self.device)
        scores = self.model.crf.span_probability(prediction.emissions, inputs.mask, where, tag_ids)
        remaining = iter(scores.tolist())
        return [[replace(e, score=next(remaining)) for e in entities] for entities in spans]

    def hidden_states(
        self,
        sentences: Sequence[Sequence[str]],
    ) -> list[tuple[Tensor, Tensor]]:
        """For each sentence BiLSTM outputs [S, 2H] and tag probabilities [S, K], as a teacher gives."""
        states: list[tuple[Tensor, Tensor] | None] = [None] * len(sentences)
        for indices, inputs in self.batches(sentences):
            with torch.no_grad():
                encoded = self.model.encode(inputs)
                marginals = self.model.marginals(inputs, encoded).cpu()
                encoded = encoded.cpu()
            for row, index in enumerate(indices):
                length = len(sentences[index])
                states[index] = (encoded[row, :length].clone(), marginals[row, :length].clone())
        return [state for state in states if state is not None]

    def batches(
        self,
        sentences: Sequence[Sequence[str]],
        *,
        features: Sequence[Tensor] | None = None,
        aligned: Sequence[Tensor] | None = None,
    ) -> Iterator[tuple[list[int], TaggerInputs]]:
        """Indices and model inputs of batches of similar length; puts the model in evaluation mode."""
        self.model.eval()
        encoded = [self.encoder.encode(Sentence(tuple(tokens))) for tokens in sentences]
        sizes = [sentence.size for sentence in encoded]
        for indices in bucket_by_length(sizes, max_tokens=_BATCH_TOKENS, shuffle=False):
            frozen = (
                [features[i] for i in indices]
                if features is not None
                else self.embed([sentences[i] for i in indices])
            )
            inputs, _ = make_batch(
                [encoded[i] for i in indices],
                frozen,
                [aligned[i] for i in indices] if aligned is not None else None,
            )
            yield indices, inputs.to(self.device)

    def embed(self, sentences: Sequence[Sequence[str]]) -> list[Tensor] | None:
        """The frozen embeddings of sentences, or None if the model takes none."""
        if not self.embedders:
            return None
        parts = [embedder.embed(sentences) for embedder in self.embedders]
        return [torch.cat(rows, dim=1) for rows in zip(*parts, strict=True)]
