"""How the translator searches and reports."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, ValidationError

from canner.nn.pooling import TargetPooling
from canner.text.config import Config, one_line


class TranslateOptions(Config):
    """Search and reporting of a `NeuralTranslator`.

    Attributes:
        beam_size: live hypotheses of a sentence; 1 is greedy search.
        length_penalty: hypotheses are ranked by log probability / length ** length_penalty (not in greedy search).
        max_length_ratio: longest translation, in pieces for each source piece, …
        max_length_extra: … and this many more.
        max_source_pieces: longer sentences are translated in parts.
        no_repeat: no sequence of so many pieces occurs twice in a translation; None: any may.
        all_slots: a translation may end only when it holds every copy slot of its source.
        strip_accents: names that are copied lose their accents: for languages whose accents are tones (Yoruba),
            which English does not write.
        batch_tokens: source pieces in a batch, padding included; does not change the result.
        target_pooling: how the attention of a word is made from that of its pieces.
        alignment_layer: decoder layer whose attention finds the source word for an `<unk>` (negative: from the
            last); None: the mean of all.
    """

    beam_size: int = Field(5, ge=1)
    length_penalty: float = Field(1.0, ge=0)
    max_length_ratio: float = Field(1.5, gt=0)
    max_length_extra: int = Field(20, ge=2)
    max_source_pieces: int = Field(200, ge=8)
    no_repeat: int | None = Field(4, ge=1)
    all_slots: bool = True
    strip_accents: bool = False
    batch_tokens: int = Field(4096, ge=1)
    target_pooling: TargetPooling = "mean"
    alignment_layer: int | None = None

    def changed(self, changes: Mapping[str, object]) -> TranslateOptions:
        """The same with some settings changed.

        Raises:
            ValueError: in one line, no such setting, or no such value.
        """
        try:
            return TranslateOptions.model_validate({**self.model_dump(), **changes})
        except ValidationError as error:
            raise ValueError(f"options: {one_line(error)}") from None


def require_layer(name: str, layer: int | None, num_layers: int) -> None:
    """Refuses a decoder layer that a translator does not have.

    Args:
        name: of the setting.
        layer: from 0, or negative: from the last; None: no layer is named.
        num_layers: of the decoder.

    Raises:
        ValueError: names the setting.
    """
    if layer is not None and not -num_layers <= layer < num_layers:
        raise ValueError(
            f"expected {name} among {num_layers} decoder layers, got {layer}; choose one from {-num_layers} to "
            f"{num_layers - 1}"
        )
