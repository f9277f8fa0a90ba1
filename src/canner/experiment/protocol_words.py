"""How taggers of a comparison are trained, in words: the protocol that stands under its table."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import dotted_keys
from canner.training.schedule import TrainingConfig

_OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}
_EMISSIONS = {
    "softmax": "CRF over the probabilities of Eq. 12",
    "log_softmax": "CRF over the logarithms of Eq. 12",
}
_BUT = " but for rows that say otherwise"


def protocol_in_words(config: ComparisonExperiment) -> str:
    """The protocol's name, and what it does, as the comparison's base, grid and rows say."""
    of_rows = {key for system in config.systems for key in dotted_keys(system.change)}
    words = []
    for key, said in {**_training(config.base), **_model(config.base)}.items():
        if said and key not in config.grid:
            words.append(f"{said}{_BUT if key in of_rows else ''}")
    if config.grid:
        chosen = " and ".join(key.rpartition(".")[2].replace("_", " ") for key in config.grid)
        words.insert(1, f"{chosen} chosen on dev")
    said = ", ".join(words)
    return f"{config.protocol} ({said})" if config.protocol else said


def _training(base: TaggerExperiment) -> dict[str, str]:
    """What is said of each setting of the training, by its key; nothing of what is left at nothing."""
    training = base.training
    unit = "epoch" if training.validate_every is None else "validation"
    kept = {"best": f"the {unit} that does best on dev", "last": f"the last {unit}"}[training.keep]
    momentum = f" with momentum {training.momentum:g}" if training.momentum else ""
    every, average = training.validate_every, training.average
    return {
        "training.optimizer": f"{_OPTIMIZERS[training.optimizer]}{momentum}",
        "training.learning_rate": f"learning rate {training.learning_rate:g}",
        "batch_size": f"batch size {base.batch_size}",
        "training.accumulate": f"{training.accumulate} batches a step" if training.accumulate > 1 else "",
        "training.weight_decay": f"weight decay {training.weight_decay:g}" if training.weight_decay else "",
        "training.clip_norm": f"gradients clipped at {training.clip_norm:g}",
        "training.schedule": _schedule(training),
        "training.max_epochs": f"at most {training.max_epochs} epochs",
        "training.validate_every": f"validated every {every} steps" if every is not None else "",
        "training.early_stopping": _stopping(training, unit),
        "training.average": f"weights averaged ({average:g} a step)" if average is not None else "",
        "training.keep": f"weights of {kept}",
        "training.precision": training.precision,
    }


def _schedule(training: TrainingConfig) -> str:
    if training.schedule == "anneal_on_plateau":
        return (
            f"rate times {training.anneal_factor:g} after {training.patience + 1} epochs without a lower training "
            f"loss, ended below {training.min_learning_rate:g}"
        )
    return "" if training.schedule == "constant" else training.schedule.replace("_", " ")


def _stopping(training: TrainingConfig, unit: str) -> str:
    if training.early_stopping is None:
        return ""
    earliest = f", after {training.min_epochs} epochs at the earliest" if training.min_epochs else ""
    return f"stopped on dev after {training.early_stopping} {unit}s without gain{earliest}"


def _model(base: TaggerExperiment) -> dict[str, str]:
    """The same of those settings of the tagger in which the protocols differ."""
    model = base.model
    return {
        "model.dropout_words": f"dropout {model.dropout_words:g} of words",
        "model.dropout_lstm": f"dropout {model.dropout_lstm:g} of states",
        "model.emissions": _EMISSIONS.get(model.emissions, ""),
        "model.char_encoder": "no letters"
        if model.char_encoder == "none"
        else f"letters by {model.char_encoder}",
    }
