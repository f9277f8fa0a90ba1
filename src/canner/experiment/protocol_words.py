"""How taggers of a comparison are trained, in words: the protocol that stands under its table."""

from __future__ import annotations

from typing import NamedTuple

from canner.experiment.comparison import ComparisonExperiment
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import dotted_keys
from canner.models.tagger import TaggerConfig
from canner.training.schedule import TrainingConfig

_OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}
_EMISSIONS = {
    "softmax": "CRF over the probabilities of Eq. 12",
    "log_softmax": "CRF over the logarithms of Eq. 12",
}
_BUT = " but for rows that say otherwise"


class _Phrase(NamedTuple):
    """What is said of some settings.

    Attributes:
        keys: of the settings.
        said: of the base; empty where it leaves them at nothing.
        nothing: what is said instead where rows do not.
    """

    keys: tuple[str, ...]
    said: str
    nothing: str = ""


def protocol_in_words(config: ComparisonExperiment) -> str:
    """The protocol's name, and what it does, as the comparison's base, grid and rows say."""
    of_rows = {key for system in config.systems for key in dotted_keys(system.change)}
    base = config.base
    tuned = base.embeddings.fine_tuned is not None or "embeddings.fine_tuned" in of_rows
    words = []
    phrases = [*_training(base.training), _batch(base), *_model(base.model, tuned)]
    if tuned:
        phrases.append(
            _Phrase(
                ("embeddings.fine_tuned_rate",), f"encoder trained at {base.embeddings.fine_tuned_rate:g}"
            )
        )
    for keys, said, nothing in phrases:
        by_rows = not of_rows.isdisjoint(keys)
        said = said or (nothing if by_rows else "")
        if said and not any(key in config.grid for key in keys):
            words.append(f"{said}{_BUT if by_rows else ''}")
    if config.grid:
        chosen = " and ".join(key.rpartition(".")[2].replace("_", " ") for key in config.grid)
        words.append(f"{chosen} chosen on dev")
    said = ", ".join(words)
    return f"{config.protocol} ({said})" if config.protocol else said


def _training(training: TrainingConfig) -> list[_Phrase]:
    unit = "epoch" if training.validate_every is None else "validation"
    kept = {"best": f"the {unit} that does best on dev", "last": f"the last {unit}"}[training.keep]
    momentum = f" with momentum {training.momentum:g}" if training.momentum else ""
    every, average = training.validate_every, training.average
    return [
        _Phrase(_keys("optimizer", "momentum"), f"{_OPTIMIZERS[training.optimizer]}{momentum}"),
        _Phrase(_keys("learning_rate"), f"learning rate {training.learning_rate:g}"),
        _Phrase(
            _keys("weight_decay"),
            f"weight decay {training.weight_decay:g}" if training.weight_decay else "",
            "no weight decay",
        ),
        _Phrase(_keys("clip_norm"), f"gradients clipped at {training.clip_norm:g}"),
        _Phrase(
            _keys(
                *("schedule", "anneal_factor", "patience", "min_learning_rate"),
                *("warmup_steps", "decay_steps", "decay_epochs", "decay_minutes"),
            ),
            _schedule(training),
            "a constant rate",
        ),
        _Phrase(
            _keys("max_epochs"),
            f"{'' if training.runs_to_its_end else 'at most '}{training.max_epochs} epochs",
        ),
        _Phrase(
            _keys("validate_every"),
            f"validated every {every} steps" if every is not None else "",
            "validated each epoch",
        ),
        _Phrase(_keys("early_stopping", "min_epochs"), _stopping(training, unit), "never stopped early"),
        _Phrase(
            _keys("average"),
            f"weights averaged ({average:g} a step)" if average is not None else "",
            "weights not averaged",
        ),
        _Phrase(_keys("keep"), f"weights of {kept}"),
        _Phrase(
            _keys("precision"),
            "bfloat16 where the processor has it" if training.precision == "auto" else training.precision,
        ),
    ]


def _keys(*names: str) -> tuple[str, ...]:
    return tuple(f"training.{name}" for name in names)


def _batch(base: TaggerExperiment) -> _Phrase:
    steps = f", {base.training.accumulate} a step" if base.training.accumulate > 1 else ""
    return _Phrase(("batch_size", "training.accumulate"), f"batch size {base.batch_size}{steps}")


def _schedule(training: TrainingConfig) -> str:
    if training.schedule == "anneal_on_plateau":
        return (
            f"rate times {training.anneal_factor:g} after {training.patience + 1} epochs without a lower training "
            f"loss, ended below {training.min_learning_rate:g}"
        )
    if training.schedule == "constant":
        return ""
    rising = f"rising for {training.warmup_steps} steps, " if training.warmup_steps else ""
    lengths = {
        "steps": training.decay_steps,
        "epochs": training.decay_epochs,
        "minutes": training.decay_minutes,
    }
    over = " or ".join(f"{length:g} {unit}" for unit, length in lengths.items() if length is not None)
    falling = f"falling along a cosine over {over}" if over else ""
    return f"rate {rising}{falling}".removesuffix(", ") if rising or falling else ""


def _stopping(training: TrainingConfig, unit: str) -> str:
    if training.early_stopping is None:
        return ""
    earliest = f", after {training.min_epochs} epochs at the earliest" if training.min_epochs else ""
    return f"stopped on dev after {training.early_stopping} {unit}s without gain{earliest}"


def _model(model: TaggerConfig, tuned: bool) -> list[_Phrase]:
    """Of the tagger what the protocols have otherwise than each other, or rows than their table.

    Args:
        model: its configuration.
        tuned: whether an encoder is trained with it.
    """
    embeddings = "an encoder's states" if tuned else "frozen embeddings"
    return [
        _Phrase(("model.hidden_dim",), f"BiLSTM of {model.hidden_dim} units each way"),
        _Phrase(
            ("model.word_dropout",),
            f"{model.word_dropout:g} of words made unknown" if model.word_dropout else "",
            "no words made unknown",
        ),
        _Phrase(
            tuple(f"model.dropout_{of}" for of in ("words", "features", "lstm", "aligned")),
            f"dropout {model.dropout_words:g} of words, {model.dropout_features:g} of {embeddings}, "
            f"{model.dropout_lstm:g} of states and {model.dropout_aligned:g} of what English carries",
        ),
        _Phrase(("model.emissions",), _EMISSIONS.get(model.emissions, ""), "CRF over scores"),
        _Phrase(("model.constrain",), "" if model.constrain else "tags not constrained", "tags constrained"),
        _Phrase(
            ("model.char_encoder",),
            "no letters" if model.char_encoder == "none" else f"letters by {model.char_encoder}",
        ),
    ]
