"""How taggers of a comparison are trained, in words: the protocol that stands under its table."""

from __future__ import annotations

from collections.abc import Collection

from canner.experiment.tagger import TaggerExperiment
from canner.training.schedule import TrainingConfig

_OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}
_EMISSIONS = {
    "softmax": "CRF over the probabilities of Eq. 12",
    "log_softmax": "CRF over the logarithms of Eq. 12",
}


def protocol_in_words(name: str, base: TaggerExperiment, grid: Collection[str]) -> str:
    """The protocol's name, and what it does, as its configuration says.

    Args:
        name: of the protocol, or other words for it; none: only what it does.
        base: what all rows share.
        grid: keys whose values are chosen on the development set.
    """
    training, model = base.training, base.model
    values = {
        "training.learning_rate": f"learning rate {training.learning_rate:g}",
        "batch_size": f"batch size {base.batch_size}",
    }
    words = [_OPTIMIZERS[training.optimizer], *(said for key, said in values.items() if key not in grid)]
    if grid:
        chosen = " and ".join(key.rpartition(".")[2].replace("_", " ") for key in grid)
        words.append(f"{chosen} chosen on dev")
    words += [
        *_schedule(training),
        f"dropout {model.dropout_words:g} of words and {model.dropout_lstm:g} of states",
    ]
    words += [_EMISSIONS[model.emissions]] if model.emissions in _EMISSIONS else []
    words += [f"letters by {model.char_encoder}"] if model.char_encoder != "none" else ["no letters"]
    said = ", ".join(words)
    return f"{name} ({said})" if name else said


def _schedule(training: TrainingConfig) -> list[str]:
    """How the rate falls, when training ends, which weights it leaves, in what precision."""
    words = []
    if training.schedule == "anneal_on_plateau":
        words.append(
            f"times {training.anneal_factor:g} after {training.patience + 1} epochs without a lower training loss, "
            f"ended below {training.min_learning_rate:g}"
        )
    elif training.schedule != "constant":
        words.append(training.schedule.replace("_", " "))
    words.append(f"at most {training.max_epochs} epochs")
    if training.early_stopping is not None:
        words.append(f"stopped on dev after {training.early_stopping} epochs without gain")
    kept = {"best": "the epoch that does best on dev", "last": "the last epoch"}[training.keep]
    return [*words, f"weights of {kept}", training.precision]
