"""A pretrained encoder within a tagger: reads as `transformers` does, learns all but its table of pieces."""

import pytest
import torch

transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from canner.data.word_pieces import PieceRow, pad_pieces  # noqa: E402
from canner.models.piece_encoder import PieceEncoder  # noqa: E402

SMALL = {
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 16,
}
# Of different lengths; the last is read in two rows, and its third word has no piece.
SENTENCES = [
    [PieceRow([2, 5, 6, 7, 3], [range(1, 3), range(3, 4)])],
    [PieceRow([2, 8, 3], [range(1, 2)])],
    [PieceRow([2, 9, 10, 11, 12, 3], [range(1, 5)]), PieceRow([2, 13, 3], [range(1, 2), range(2, 2)])],
]


def made(kind):
    torch.manual_seed(0)
    if kind == "bert":
        return transformers.BertModel(transformers.BertConfig(**SMALL)).eval()
    if kind == "electra":  # its pieces' vectors are narrower than its states
        return transformers.ElectraModel(transformers.ElectraConfig(**SMALL, embedding_size=6)).eval()
    if kind == "distilbert":
        sizes = {"dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 8, "vocab_size": 20}
        return transformers.DistilBertModel(transformers.DistilBertConfig(**sizes)).eval()
    return transformers.XLMRobertaModel(transformers.XLMRobertaConfig(**SMALL, pad_token_id=1)).eval()


@pytest.mark.parametrize("kind", ["bert", "distilbert", "electra", "xlm-roberta"])
def test_it_reads_as_transformers_does_alone_or_in_a_batch(kind):
    whole, encoder = made(kind), PieceEncoder(made(kind)).eval()
    with torch.no_grad():
        together = encoder(pad_pieces(SENTENCES, pad_id=0))
        assert together.shape == (3, 3, 8)
        for sentence, vectors in zip(SENTENCES, together, strict=True):
            words = []
            for row in sentence:
                states = whole(input_ids=torch.tensor([row.ids])).last_hidden_state[0]
                words += [states[list(p)].mean(0) if len(p) else torch.zeros(8) for p in row.words]
            assert torch.allclose(vectors[: len(words)], torch.stack(words), atol=1e-5)
            assert torch.allclose(encoder(pad_pieces([sentence], pad_id=0))[0], torch.stack(words), atol=1e-5)


def test_the_layers_learn_and_are_saved_but_not_the_table_of_pieces():
    encoder = PieceEncoder(made("bert"))
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    table = encoder.table.clone()
    optimizer = torch.optim.SGD(encoder.parameters(), lr=0.1)
    encoder(pad_pieces(SENTENCES, pad_id=0)).square().sum().backward()
    optimizer.step()
    assert torch.equal(encoder.table, table)
    assert not [name for name, tensor in before.items() if tensor.shape[0] == SMALL["vocab_size"]]
    after = encoder.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name for name in before if "layer." in name and "key.bias" not in name} <= changed

    again = PieceEncoder(made("bert"))
    again.load_state_dict(after)
    batch = pad_pieces(SENTENCES, pad_id=0)
    assert torch.equal(again.eval()(batch), encoder.eval()(batch))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_checkpoint_in_half_precision_learns_in_single(kind):
    encoder = PieceEncoder(made("bert").to(kind))
    assert {weight.dtype for weight in (*encoder.parameters(), encoder.table)} == {torch.float32}


class Scaled(torch.nn.Embedding):
    """Pieces whose vectors are not the rows of the table."""

    def forward(self, ids):
        return 3 * super().forward(ids)


def scaled():
    encoder = made("bert")
    encoder.set_input_embeddings(Scaled(20, 8))
    return encoder


def with_decoder():
    sizes = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    return transformers.BartModel(transformers.BartConfig(vocab_size=20, d_model=8, **sizes, **heads))


@pytest.mark.parametrize("make", [scaled, with_decoder])
def test_an_encoder_that_reads_otherwise_is_refused(make):
    with pytest.raises(
        ValueError, match=r"as it reads the pieces, got B.*Model \(.*\); take another, or read it frozen"
    ):
        PieceEncoder(make())


def test_a_long_word_costs_its_own_pieces_and_no_others():
    """Words of one piece beside a word of many: as many places are looked up as there are pieces."""
    long = [PieceRow([2, *range(5, 19), 3], [range(1, 15)])]
    short = [PieceRow([2, *[6] * 12, 3], [range(place, place + 1) for place in range(1, 13)])]
    assert len(pad_pieces([long, short], pad_id=0).of_words) == 14 + 12
