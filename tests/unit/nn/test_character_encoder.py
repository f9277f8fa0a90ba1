"""The convolution over all words at once against one word at a time."""

import pytest
import torch

from canner.nn.character_encoder import CharacterEncoder

WORDS = [[[1, 2, 3, 4, 5], [6]], [[2, 2], []], [[], []], [[7, 1, 7], [3, 3, 3, 3, 3, 3]]]
"""Character ids of two words in each of four sentences; in the last two rows a word is missing or both are."""
LENGTHS = [2, 2, 0, 2]


def padded(num_columns: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.zeros(len(WORDS), 2, num_columns, dtype=torch.long)
    for row, sentence in enumerate(WORDS):
        for column, word in enumerate(sentence):
            ids[row, column, : len(word)] = torch.tensor(word, dtype=torch.long)
    return ids, torch.arange(2)[None] < torch.tensor(LENGTHS)[:, None]


def one_by_one(encoder: CharacterEncoder) -> torch.Tensor:
    """Each word through `torch`'s own convolution alone, then the maximum."""
    assert encoder.convolution is not None
    rows = []
    for sentence, length in zip(WORDS, LENGTHS, strict=True):
        for index, word in enumerate(sentence):
            if index < length and word:
                embedded = encoder.embedding(torch.tensor(word))
                rows.append(encoder.convolution(embedded.t()).amax(dim=1))
            else:
                rows.append(torch.zeros(encoder.output_dim))
    return torch.stack(rows).view(len(WORDS), 2, -1)


def gradients(encoder: CharacterEncoder, output: torch.Tensor) -> list[torch.Tensor]:
    weights = torch.linspace(-1, 1, output.numel()).view_as(output)
    return list(torch.autograd.grad((output * weights).sum(), list(encoder.parameters())))


@pytest.mark.parametrize("kernel_width", [1, 3, 5, 7])
def test_convolution_is_that_of_each_word_alone(kernel_width: int) -> None:
    torch.manual_seed(kernel_width)
    encoder = CharacterEncoder(9, kind="cnn", char_dim=4, channels=5, kernel_width=kernel_width)
    output, expected = encoder(*padded()), one_by_one(encoder)
    torch.testing.assert_close(output, expected)
    for found, wanted in zip(gradients(encoder, output), gradients(encoder, expected), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("kind", ["cnn", "lstm"])
def test_padding_changes_nothing(kind: str) -> None:
    torch.manual_seed(0)
    encoder = CharacterEncoder(9, kind=kind, char_dim=4, channels=6, kernel_width=3)  # type: ignore[arg-type]
    torch.testing.assert_close(encoder(*padded(6)), encoder(*padded(11)))


@pytest.mark.parametrize("kind", ["cnn", "lstm"])
def test_words_without_characters_are_zeros(kind: str) -> None:
    encoder = CharacterEncoder(9, kind=kind, char_dim=4, channels=6, kernel_width=3)  # type: ignore[arg-type]
    for columns in (0, 3):
        empty = torch.zeros(2, 3, columns, dtype=torch.long)
        output = encoder(empty, torch.ones(2, 3, dtype=torch.bool))
        assert output.shape == (2, 3, 6)
        assert not output.any()
