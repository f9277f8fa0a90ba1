"""Fixtures and switches that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

torch.set_num_threads(1)
# A busy machine is not a bug: no deadline for a single example.
settings.register_profile("canner", deadline=None)
settings.load_profile("canner")


def find_data_folder() -> Path | None:
    """The folder of real corpora: `CANNER_DATA`, or `../shared/data` beside the repository."""
    named = os.environ.get("CANNER_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def write_bert() -> Callable[..., Path]:
    """Writes a tiny checkpoint of `transformers`: its tokenizer, whose first four pieces are its marks, and weights.

    With labels it is a token classifier.
    """
    transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

    def write(
        folder: Path, tokenizer: Tokenizer, *, width: int, longest: int, labels: Sequence[str] = ()
    ) -> Path:
        marks = ("pad_token", "unk_token", "cls_token", "sep_token")
        special = {name: tokenizer.id_to_token(number) for number, name in enumerate(marks)}
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, model_max_length=longest, **special
        ).save_pretrained(folder)
        torch.manual_seed(0)
        config = transformers.BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=width,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=width,
            max_position_embeddings=longest,
            **({"id2label": dict(enumerate(labels))} if labels else {}),
        )
        kind = transformers.BertForTokenClassification if labels else transformers.BertModel
        kind(config).save_pretrained(folder)
        return folder

    return write


@pytest.fixture(scope="session")
def write_bart() -> Callable[..., Path]:
    """Writes a translator of `transformers` with random weights, whose words are pieces of SentencePiece.

    The first four pieces are its marks, `<s>`, `<pad>`, `</s>` and `<unk>`.
    """
    transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

    def write(folder: Path, pieces: Sequence[str], sizes: Mapping[str, int]) -> Path:
        tokenizer = Tokenizer(models.Unigram([(own, -float(i)) for i, own in enumerate(pieces)], unk_id=3))
        tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A </s>", special_tokens=[("</s>", 2)]
        )
        names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
        transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
        marks = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
        torch.manual_seed(5)
        config = transformers.BartConfig(
            vocab_size=len(pieces), init_std=1.0, forced_eos_token_id=None, **marks, **sizes
        )
        transformers.BartForConditionalGeneration(config).save_pretrained(folder)
        return folder

    return write


@pytest.fixture(scope="session")
def data_folder() -> Path:
    folder = find_data_folder()
    if folder is None:
        pytest.skip("no corpora: set CANNER_DATA to the data folder")
    return folder
