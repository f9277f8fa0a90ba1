"""What `canner demo` does: tag, explain, and the comparison that the whole thing is about."""

from __future__ import annotations

import tempfile
import time
from importlib import resources
from pathlib import Path

from rich.console import Console
from rich.table import Table

from canner.cli.show import explanations_of
from canner.cli.tag import bracketed
from canner.data.bundle import bundle_kind, read_bundle_config
from canner.data.corpus import CorpusConfig
from canner.experiment.tagger import TaggerExperiment, train_tagger
from canner.explain import explain_html
from canner.pipeline import Tagger
from canner.presets import CAN_MODEL, FAST_TRAINING
from canner.text.conll import read_conll, write_conll
from canner.text.files import write_lines
from canner.transfer.views import TransferConfig

BUNDLE = "es-can"
SENTENCES = (
    "El presidente de Telefónica, Ramiro Echeverría, visitó el martes la sede de Nokia en Helsinki.",
    "La Audiencia Nacional investiga a tres empresarios de Valencia por el caso Puerto Limpio.",
    "El delantero brasileño Marcelinho firmó por el Real Betis, que jugará el domingo contra el Sevilla.",
    "La ONU enviará mañana cuarenta toneladas de alimentos a Mozambique.",
)
_NUM_DEV = 20


def demonstrate(models: Path, output: Path, *, train: bool) -> None:
    """Tags sentences, writes the explain page, trains a plain and a CAN tagger and prints both scores.

    Args:
        models: folder with the bundle `es-can`.
        output: folder of what is made.
        train: also train.

    Raises:
        ValueError: if the bundle is not there.
    """
    console = Console()
    bundle = models / BUNDLE
    if not (bundle / "config.json").is_file():
        raise ValueError(
            f"expected the bundle {bundle}, found none; run this in the repository, or name its folder "
            "with --models"
        )
    output.mkdir(parents=True, exist_ok=True)
    tagger = Tagger.load(bundle)
    results = tagger.tag_texts(SENTENCES)
    console.rule("Entities in Spanish, found with the help of English")
    for result in results:
        console.print(bracketed(result), markup=False, highlight=False)
        console.print(f"  English:   {result.english}", markup=False, style="dim")
        for entity in result.entities:
            partners = [
                result.english_tokens[t]
                for s, t in result.alignment
                if entity.start_token <= s < entity.end_token
            ]
            console.print(
                f"  {entity.type:<4} {entity.text}  ↔  {' '.join(partners) or '-'}  "
                f"({100 * entity.confidence:.0f} %, characters {entity.start}-{entity.end})",
                markup=False,
                highlight=False,
            )
        console.print()
    page = output / "explain.html"
    write_lines(page, explain_html(explanations_of(results), title="canner demo").splitlines())
    console.print(f"The attention behind it: {page}", markup=False)
    if train:
        _train_side_by_side(console, bundle, output)


def _train_side_by_side(console: Console, bundle: Path, output: Path) -> None:
    folder = resources.files("canner") / "demo_data" / "es"
    with resources.as_file(folder) as corpus:
        labelled = read_conll(corpus / "train.conll")
        write_conll(output / "train.conll", labelled[:-_NUM_DEV])
        write_conll(output / "dev.conll", labelled[-_NUM_DEV:])
        data = CorpusConfig(
            train=(str(output / "train.conll"),),
            dev=(str(output / "dev.conll"),),
            test=(str(corpus / "test.conll"),),
        )
        base = TaggerExperiment(
            name="demo",
            data=data,
            model=CAN_MODEL.model_copy(update={"hidden_dim": 96}),
            training=FAST_TRAINING.model_copy(update={"max_epochs": 30, "learning_rate": 3e-3}),
            batch_size=8,
        )
        transfer = _quickest(
            TransferConfig(**read_bundle_config(bundle, "tagger")["transfer"]).seen_from(bundle)
        )
        table = Table("tagger", "precision", "recall", "F1", "seconds")
        console.print()
        console.rule(f"Trained now, on {len(labelled) - _NUM_DEV} Spanish sentences")
        with tempfile.TemporaryDirectory() as runs:
            for name, experiment in (
                ("plain BiLSTM-CRF", base),
                ("with converse attention", base.model_copy(update={"transfer": transfer})),
            ):
                started = time.monotonic()
                run = train_tagger(experiment, Path(runs) / name.replace(" ", "-"), progress=True)
                scores, seconds = run.scores["test"], time.monotonic() - started
                figures = [f"{scores[key]:.1f}" for key in ("precision", "recall", "f1")]
                table.add_row(name, *figures, f"{seconds:.0f}")
        console.print(table)


def _quickest(transfer: TransferConfig) -> TransferConfig:
    """The word gloss alone, where there is one: a neural translator would take minutes for the whole corpus."""
    glosses = tuple(v for v in transfer.views if v.translator and bundle_kind(v.translator) == "gloss")
    return transfer.model_copy(update={"views": glosses}) if glosses else transfer
