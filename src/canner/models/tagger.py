"""The tagger: BiLSTM-CRF, with or without features carried over from a translation."""

from dataclasses import dataclass, fields, replace
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from canner.models.piece_encoder import PieceEncoder
from canner.nn.bilstm import BiLSTM
from canner.nn.character_encoder import CharacterEncoder
from canner.nn.crf import CRF, TagConstraints
from canner.nn.dropout import Dropout, TokenDropout, WordDropout
from canner.nn.fusion import Fusion
from canner.nn.masking import mask_to_lengths, require_right_padding
from canner.nn.pieces import PieceBatch
from canner.nn.word_embedding import word_embedding
from canner.text.config import Config
from canner.text.vocabulary import PAD_ID, UNK_ID


class TaggerConfig(Config):
    """Everything about a tagger but the sizes that its data gives it.

    The two protocols' taggers are `FAST_MODEL` and `PAPER_MODEL` in `canner.presets`.

    Attributes:
        word_dim: width of the word vectors; 0: no words.
        freeze_words: leave the word vectors as they are loaded.
        word_dropout: share of words replaced by the unknown word in training.
        char_encoder: word features from characters, by a convolution, an LSTM, or none.
        char_dim: width of a character embedding.
        char_channels: width of a word's character features.
        char_width: characters that the convolution sees at once.
        hidden_dim: width H of each direction of the BiLSTM.
        num_layers: layers of the BiLSTM.
        dropout_words: dropout of word and character vectors.
        dropout_features: dropout of contextual embeddings, and of the states of an encoder that is trained, too.
        dropout_tokens: share of tokens whose whole input vector is dropped.
        dropout_lstm: dropout of the BiLSTM's states.
        dropout_aligned: dropout of the aligned features.
        locked: all dropout of values takes the same ones at all positions of a sentence.
        emissions: what the CRF adds up: `softmax` is Eq. 12 as printed, `log_softmax` its logarithm (so PAPER_MODEL),
            `logits` neither.
        constrain: forbid what the tagging scheme forbids (the paper does not).
        aligned_at: where aligned features enter: beside the BiLSTM's `output` (Eq. 11), at its `input`,
            or `both`.
        aligned_projection_dim: width of a linear layer with tanh that aligned features pass first; the paper
            has none.
    """

    word_dim: int = Field(default=50, ge=0)
    freeze_words: bool = False
    word_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    char_encoder: Literal["none", "cnn", "lstm"] = "cnn"
    char_dim: int = Field(default=30, ge=1)
    char_channels: int = Field(default=50, ge=1)
    char_width: int = Field(default=3, ge=1)
    hidden_dim: int = Field(default=256, ge=1)
    num_layers: int = Field(default=1, ge=1)
    dropout_words: float = Field(default=0.3, ge=0.0, lt=1.0)
    dropout_features: float = Field(default=0.3, ge=0.0, lt=1.0)
    dropout_tokens: float = Field(default=0.0, ge=0.0, lt=1.0)
    dropout_lstm: float = Field(default=0.3, ge=0.0, lt=1.0)
    dropout_aligned: float = Field(default=0.3, ge=0.0, lt=1.0)
    locked: bool = False
    emissions: Literal["softmax", "log_softmax", "logits"] = "logits"
    constrain: bool = True
    aligned_at: Literal["output", "input", "both"] = "output"
    aligned_projection_dim: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _check_characters(self) -> "TaggerConfig":
        if self.char_encoder == "lstm" and self.char_channels % 2:
            raise ValueError(f"expected an even char_channels for an LSTM, got {self.char_channels}; add one")
        if self.char_encoder == "cnn" and self.char_width % 2 == 0:
            raise ValueError(f"expected an odd char_width, got {self.char_width}; add one")
        return self


@dataclass(frozen=True)
class TaggerSizes:
    """The sizes that a tagger takes from its vocabularies and features; 0: there is no such input."""

    num_words: int
    num_chars: int
    features_dim: int
    aligned_dim: int
    num_tags: int


@dataclass(frozen=True)
class TaggerInputs:
    """A batch of sentences, padded on the right.

    Attributes:
        mask: real tokens.
        word_ids: 0 at padding; None where the tagger uses no words.
        char_ids: characters of each token from the left, 0 after its end; None where it uses none.
        features: frozen contextual embeddings, concatenated; None where it uses none.
        aligned_features: features carried over from the translation; None where it uses none.
        pieces: what the encoder reads that is trained with the tagger; None where there is none.
    """

    mask: Bool[Tensor, "B S"]
    word_ids: Int[Tensor, "B S"] | None = None
    char_ids: Int[Tensor, "B S C"] | None = None
    features: Float[Tensor, "B S E"] | None = None
    aligned_features: Float[Tensor, "B S F"] | None = None
    pieces: PieceBatch | None = None

    def to(self, device: torch.device | str) -> "TaggerInputs":
        """The same batch on another device."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(
            self, **{n: t.to(device, non_blocking=True) for n, t in tensors.items() if t is not None}
        )


class Prediction(NamedTuple):
    """What a tagger found: the best tags [B S] (0 at padding), their score [B], and the emissions [B S K]."""

    tag_ids: Tensor
    scores: Tensor
    emissions: Tensor


class TaggerModel(nn.Module):
    """Embeds tokens, reads them in both directions, joins aligned features, and scores tag sequences.

    Args:
        config: the model.
        sizes: of its inputs and of the tag set.
        word_vectors: [V word_dim] to start from; random ones when not given.
        piece_encoder: a pretrained encoder that learns with the rest; None: there is none.
        constraints: of the tagging scheme, from `text.schemes.allowed_transitions`; needed by `constrain`.

    Raises:
        ValueError: when config, sizes, vectors and constraints do not fit together.
    """

    def __init__(
        self,
        config: TaggerConfig,
        sizes: TaggerSizes,
        *,
        word_vectors: Tensor | None = None,
        piece_encoder: PieceEncoder | None = None,
        constraints: TagConstraints | None = None,
    ) -> None:
        super().__init__()
        self.config, self.sizes = config, sizes
        self.word_embedding = self._words(word_vectors) if config.word_dim else None
        self._learned_words: Tensor | None = None
        self.char_encoder: CharacterEncoder | None = None
        if config.char_encoder != "none":
            if sizes.num_chars < 2:
                raise ValueError(
                    f"expected a character vocabulary for char_encoder={config.char_encoder!r}, "
                    f'got num_chars={sizes.num_chars}; pass one, or set char_encoder="none"'
                )
            self.char_encoder = CharacterEncoder(
                sizes.num_chars,
                kind=config.char_encoder,
                char_dim=config.char_dim,
                channels=config.char_channels,
                kernel_width=config.char_width,
            )
        input_dim = config.word_dim + sizes.features_dim
        input_dim += self.char_encoder.output_dim if self.char_encoder else 0
        input_dim += piece_encoder.dim if piece_encoder else 0
        self.piece_encoder = piece_encoder
        self.input_fusion = self._fusion(config.aligned_at in ("input", "both"))
        self.output_fusion = self._fusion(config.aligned_at in ("output", "both"))
        if not input_dim + self.input_fusion.added_dim:
            raise ValueError(
                "expected at least one kind of input, got no words, no characters and no features; "
                "set word_dim, char_encoder or an embedding"
            )
        self.bilstm = BiLSTM(
            input_dim + self.input_fusion.added_dim,
            hidden_dim=config.hidden_dim,
            num_layers=config.num_layers,
            dropout=config.dropout_lstm,
            locked=config.locked,
        )
        self.output = nn.Linear(2 * config.hidden_dim + self.output_fusion.added_dim, sizes.num_tags)
        if config.constrain and constraints is None:
            raise ValueError(
                "expected constraints for constrain=True, got None; "
                "pass text.schemes.allowed_transitions(tags), or set constrain=False"
            )
        self.crf = CRF(sizes.num_tags, constraints=constraints if config.constrain else None)
        self.word_dropout = WordDropout(config.word_dropout, unk_id=UNK_ID)
        self.dropout_words = Dropout(config.dropout_words, locked=config.locked)
        self.dropout_features = Dropout(config.dropout_features, locked=config.locked)
        self.dropout_tokens = TokenDropout(config.dropout_tokens)
        self.dropout_lstm = Dropout(config.dropout_lstm, locked=config.locked)

    def _words(self, vectors: Tensor | None) -> nn.Embedding:
        config = self.config
        return word_embedding(
            self.sizes.num_words,
            dim=config.word_dim,
            vectors=vectors,
            frozen=config.freeze_words,
        )

    def _fusion(self, used: bool) -> Fusion:
        return Fusion(
            self.sizes.aligned_dim if used else 0,
            projection_dim=self.config.aligned_projection_dim,
            dropout=self.config.dropout_aligned,
            locked=self.config.locked,
        )

    def embed(self, inputs: TaggerInputs) -> Float[Tensor, "B S E"]:
        """Vectors of the tokens: words, characters, frozen features, an encoder's states, concatenated.

        Implements: [CAN, Eq. 8]

        Raises:
            ValueError: when an input is missing or not of the model's width.
        """
        self._require_inputs(inputs)
        parts = []
        if self.word_embedding is not None and inputs.word_ids is not None:
            word_ids = self.word_dropout(inputs.word_ids, inputs.mask)
            parts.append(self.dropout_words(self._look_up(self.word_embedding, word_ids)))
        if self.char_encoder is not None and inputs.char_ids is not None:
            parts.append(self.dropout_words(self.char_encoder(inputs.char_ids, inputs.mask)))
        if inputs.features is not None and self.sizes.features_dim:
            parts.append(self.dropout_features(inputs.features))
        if self.piece_encoder is not None and inputs.pieces is not None:
            parts.append(self.dropout_features(self.piece_encoder(inputs.pieces)))
        if not parts:
            parts.append(self.output.weight.new_zeros(*inputs.mask.shape, 0))
        aligned = _aligned_for(self.input_fusion, inputs)
        return self.dropout_tokens(self.input_fusion(torch.cat(parts, dim=2), aligned))

    def _look_up(self, words: nn.Embedding, word_ids: Int[Tensor, "B S"]) -> Float[Tensor, "B S E"]:
        learned = self._learned_words if self.training else None
        # A copy of the model, or one that was moved, has other memory: there the words are looked up as ever.
        if learned is None or learned.data_ptr() != words.weight.data_ptr():
            return words(word_ids)
        return nn.functional.embedding(word_ids, learned, padding_idx=PAD_ID)

    def parameters_to_learn(self, num_words: int) -> list[Tensor]:
        """What an optimizer has to change where training knows the first `num_words` words alone.

        A vocabulary that holds the words of a file of vectors is many times that of the training sentences. The other
        words never get a gradient, but an optimizer that is given all of them walks through them at each step. Called
        once for a training, on the device where it runs; weight decay spares the other words, too.

        Returns:
            The parameters; of the word vectors only the first rows, in the same memory. Training meets no other word.
        """
        learned: list[Tensor] = [p for p in self.parameters() if p.requires_grad]
        if self.word_embedding is None or not self.word_embedding.weight.requires_grad:
            return learned
        weight = self.word_embedding.weight
        self._learned_words = weight.detach()[:num_words].requires_grad_()
        return [self._learned_words if p is weight else p for p in learned]

    def encode(self, inputs: TaggerInputs) -> Float[Tensor, "B S D"]:
        """States of both directions of the BiLSTM at each token (D = 2H); 0 at padding.

        Implements: [CAN, Eq. 10]
        """
        return self.dropout_lstm(self.bilstm(self.embed(inputs), inputs.mask))

    def emissions(
        self, inputs: TaggerInputs, states: Float[Tensor, "B S D"] | None = None
    ) -> Float[Tensor, "B S K"]:
        """Score of each tag at each token; `states` are those of `encode`, where they are known.

        Implements: [CAN, Eq. 12]
        """
        states = self.encode(inputs) if states is None else states
        logits_BSK = self.output(self.output_fusion(states, _aligned_for(self.output_fusion, inputs)))
        if self.config.emissions == "softmax":
            return logits_BSK.softmax(dim=2)
        return logits_BSK.log_softmax(dim=2) if self.config.emissions == "log_softmax" else logits_BSK

    def loss(self, inputs: TaggerInputs, tag_ids: Int[Tensor, "B S"]) -> Float[Tensor, ""]:
        """Negative log likelihood of the tags, mean over the sentences."""
        return -self.crf.log_likelihood(self.emissions(inputs), tag_ids, inputs.mask).mean()

    @torch.no_grad()
    def predict(self, inputs: TaggerInputs) -> Prediction:
        """The best tag sequences; `crf.span_probability` takes the emissions for confidences."""
        emissions = self.emissions(inputs)
        return Prediction(*self.crf.viterbi(emissions, inputs.mask), emissions)

    @torch.no_grad()
    def decode(self, inputs: TaggerInputs) -> list[list[int]]:
        """The best tag ids of each sentence, without padding."""
        lengths = mask_to_lengths(inputs.mask).tolist()
        rows = self.predict(inputs).tag_ids.tolist()
        return [row[:length] for row, length in zip(rows, lengths, strict=True)]

    @torch.no_grad()
    def marginals(
        self, inputs: TaggerInputs, states: Float[Tensor, "B S D"] | None = None
    ) -> Float[Tensor, "B S K"]:
        """Probability of each tag at each token, 0 at padding; `states` as for `emissions`."""
        return self.crf.marginals(self.emissions(inputs, states), inputs.mask)

    def _require_inputs(self, inputs: TaggerInputs) -> None:
        require_right_padding(inputs.mask)
        for name, reader, kind in (
            ("word_ids", self.word_embedding, "word_dim above 0"),
            ("char_ids", self.char_encoder, "a character encoder"),
            ("pieces", self.piece_encoder, "a pretrained encoder"),
        ):
            if reader is not None and getattr(inputs, name) is None:
                raise ValueError(f"expected {name}, got None; this tagger was made with {kind}")
        for name, wanted in (
            ("features", self.sizes.features_dim),
            ("aligned_features", self.sizes.aligned_dim),
        ):
            values = getattr(inputs, name)
            found = 0 if values is None else values.size(-1)
            if found != wanted:
                raise ValueError(
                    f"expected {name} of width {wanted} (0: none), got {found}; "
                    "build the batch with the embeddings and options that the model was made for"
                )


def _aligned_for(fusion: Fusion, inputs: TaggerInputs) -> Tensor | None:
    if inputs.aligned_features is None or not fusion.aligned_dim:
        return None
    # Replaced, not trusted: a nan at padding would reach the weights' gradient, because 0 * nan is nan.
    return torch.where(inputs.mask[:, :, None], inputs.aligned_features, 0.0)
