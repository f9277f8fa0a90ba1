"""From a translation and what the teacher says of it to the features aligned with the source tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor

from canner.data.translation import Translation, Translator
from canner.nn.converse_attention import converse_attention, coverage
from canner.text.config import Config
from canner.transfer.teacher import TargetFeatures, Teacher

Layer = int | Literal["first", "last", "mean"]


class TransferOptions(Config):
    """What is carried from the English to the source tokens, and by which attention.

    The defaults are the paper's CAN_last.

    Attributes:
        layer: decoder layer, counted from 1 as in the paper's Figure 3; or "first", "last", or the "mean"
            of all layers.
        reading: "produced": attention of the step that wrote an English word; "read": of the step after it,
            where the word was the decoder's input (a gloss, an alignment head and files know no steps: there it is
            "produced"); "copied": as "produced", but an English word that was copied has its whole weight on the
            tokens that it was copied from, shared equally.
        normalise: "raw": as in the paper; "source": the weights of each source token are scaled to sum to 1.
        features: carry the teacher's hidden states R.
        posteriors: carry the teacher's tag probabilities beside them.
        coverage: add a column: how much attention the source token received in all.
    """

    layer: Layer = "last"
    reading: Literal["produced", "read", "copied"] = "produced"
    normalise: Literal["raw", "source"] = "raw"
    features: bool = True
    posteriors: bool = False
    coverage: bool = False

    @model_validator(mode="after")
    def _check(self) -> "TransferOptions":
        if isinstance(self.layer, int) and self.layer < 1:
            raise ValueError(f'expected layer 1 or above, "first", "last" or "mean", got {self.layer}')
        if not (self.features or self.posteriors or self.coverage):
            raise ValueError(
                "expected something to carry, got features, posteriors and coverage all false; switch one on"
            )
        return self


@dataclass(frozen=True)
class Transfer:
    """A translated sentence together with the teacher's reading of its English."""

    translation: Translation
    target: TargetFeatures


def transfer_sentences(
    sentences: Sequence[Sequence[str]],
    translator: Translator,
    teacher: Teacher,
    *,
    progress: Callable[[int], None] | None = None,
) -> list[Transfer]:
    """Translate sentences and let the teacher read the English.

    A translation without any word has no features, and carries nothing.

    Raises:
        ValueError: if translator or teacher give another number of results than sentences or words.
    """
    translations = translator.translate(sentences, progress=progress)
    if len(translations) != len(sentences):
        raise ValueError(
            f"expected {len(sentences)} translations, got {len(translations)}; mend the translator "
            f"{translator.fingerprint}"
        )
    filled = [translation.target for translation in translations if translation.target]
    read = iter(teacher.read(filled) if filled else [])
    nothing = TargetFeatures(torch.zeros(0, teacher.features_dim), torch.zeros(0, len(teacher.tags)))
    transfers = []
    for translation in translations:
        target = next(read) if translation.target else nothing
        expected = (len(translation.target), teacher.features_dim, len(translation.target), len(teacher.tags))
        if (*target.features.shape, *target.posteriors.shape) != expected:
            raise ValueError(
                f"expected features {expected[:2]} and posteriors {expected[2:]} for an English sentence, got "
                f"{tuple(target.features.shape)} and {tuple(target.posteriors.shape)}; mend the teacher"
            )
        transfers.append(Transfer(translation, target))
    return transfers


def aligned_dim(features_dim: int, num_tags: int, options: TransferOptions) -> int:
    """Width of the aligned features that these options give."""
    return features_dim * options.features + num_tags * options.posteriors + options.coverage


def aligned_features(transfer: Transfer, options: TransferOptions) -> Float[Tensor, "S F"]:
    """The aligned features of every source token: hidden states, then posteriors, then coverage.

    Raises:
        ValueError: if the translation has no such layer.
    """
    attention = select_attention(transfer.translation, options).float().unsqueeze(0)
    carried = [transfer.target.features] if options.features else []
    carried += [transfer.target.posteriors] if options.posteriors else []
    columns = []
    if carried:
        target_features = torch.cat([part.float() for part in carried], dim=1).unsqueeze(0)
        columns.append(converse_attention(attention, target_features, normalise=options.normalise)[0])
    if options.coverage:
        columns.append(coverage(attention)[0].unsqueeze(1))
    return torch.cat(columns, dim=1)


def select_attention(translation: Translation, options: TransferOptions) -> Float[Tensor, "T S"]:
    """The attention matrix that the options name.

    Raises:
        ValueError: if the translation has no such layer.
    """
    attention_TS = _select_layer(translation, options)
    return translation.with_copies(attention_TS) if options.reading == "copied" else attention_TS


def _select_layer(translation: Translation, options: TransferOptions) -> Float[Tensor, "T S"]:
    attention = translation.attention
    if options.reading == "read" and translation.reading_attention is not None:
        attention = translation.reading_attention
    if options.layer == "mean":
        return attention.float().mean(0)
    if options.layer == "first":
        return attention[0]
    if options.layer == "last":
        return attention[-1]
    if options.layer > len(attention):
        raise ValueError(
            f"expected a layer from 1 to {len(attention)}, got {options.layer}; the translator has no more"
        )
    return attention[options.layer - 1]
