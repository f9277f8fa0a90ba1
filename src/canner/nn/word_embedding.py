"""Vectors of words: random ones, or some to start from."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def word_embedding(
    num_words: int, *, dim: int, vectors: Float[Tensor, "V E"] | None, frozen: bool
) -> nn.Embedding:
    """A table of word vectors; the first, that of padding, is 0.

    Args:
        num_words: V, padding and unknown word included.
        dim: width E.
        vectors: to start from; None: random ones.
        frozen: whether they stay as they are.

    Raises:
        ValueError: there is no vocabulary, or the vectors are of another one or width.
    """
    if num_words < 2:
        raise ValueError(
            f"expected a word vocabulary for word_dim={dim}, got num_words={num_words}; pass one, or set word_dim=0"
        )
    embedding = nn.Embedding(num_words, dim, padding_idx=0)
    bound = (3.0 / dim) ** 0.5
    nn.init.uniform_(embedding.weight[1:].detach(), -bound, bound)
    if vectors is not None:
        if tuple(vectors.shape) != (num_words, dim):
            raise ValueError(
                f"expected word vectors [{num_words} {dim}], got {tuple(vectors.shape)}; set word_dim to the width of "
                "the vectors, and load them for the words of this vocabulary"
            )
        with torch.no_grad():
            embedding.weight.copy_(vectors)
            embedding.weight[0] = 0.0
    embedding.weight.requires_grad_(not frozen)
    return embedding
