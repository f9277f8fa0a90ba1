"""The store gives back what was put in, resumes, and refuses what does not belong to it."""

import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from canner.data import shard_folder
from canner.data.shard_folder import LOCK, OutOfTimeError, sentence_key
from canner.transfer.aligned import TransferOptions, aligned_features, transfer_sentences
from canner.transfer.store import TransferStore, load_aligned
from canner.transfer.views import TransferViews, View

SENTENCES = [
    ("Ana", "vive", "en", "Sevilla"),
    ("El", "Banco", "de", "España", "cierra", "."),
    ("untranslatable",),
    ("hola",),
    ("科", "技"),
    ("Ana", "vive", "en", "Sevilla"),
]
EVERY_READING = [
    TransferOptions(layer=layer, reading=reading, normalise=normalise, posteriors=True, coverage=True)
    for layer in (1, 2, 3, "mean")
    for reading in ("produced", "read", "copied")
    for normalise in ("raw", "source")
]


def build(folder, translator, teacher, sentences=SENTENCES, shard_size=2):
    return TransferStore.build(folder, sentences, translator, teacher, shard_size=shard_size)


def contents(folder: Path) -> list[str]:
    """The files of a store, without those that are only locked."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(LOCK))


def test_gives_what_translator_and_teacher_gave(tmp_path, make_translator, make_teacher):
    build(tmp_path / "store", make_translator(), make_teacher())
    store = TransferStore.open(tmp_path / "store")
    direct = transfer_sentences(SENTENCES, make_translator(), make_teacher())
    for tokens, expected in zip(SENTENCES, direct, strict=True):
        found = store.transfer(tokens)
        assert found.translation.source == tokens
        assert found.translation.target == expected.translation.target
        assert (found.translation.score, found.translation.parts) == (-0.5, 1)
        assert found.translation.copies == expected.translation.copies
        # exactly the half-precision values, nothing shifted within a shard
        assert torch.equal(found.translation.attention, expected.translation.attention.half())
        assert torch.equal(found.translation.reading_attention, expected.translation.reading_attention.half())
        assert torch.equal(found.target.features, expected.target.features.half())
        assert torch.equal(found.target.posteriors, expected.target.posteriors.half())


@pytest.mark.parametrize("options", EVERY_READING, ids=str)
def test_every_layer_and_reading_without_rebuild(tmp_path, make_translator, make_teacher, options):
    store = build(tmp_path, make_translator(), make_teacher())
    direct = transfer_sentences(SENTENCES, make_translator(), make_teacher())
    for tokens, transfer in zip(SENTENCES, direct, strict=True):
        found = store.aligned(tokens, options)
        torch.testing.assert_close(found, aligned_features(transfer, options), atol=5e-3, rtol=5e-3)


def test_translates_each_sentence_once_in_chunks_by_length(tmp_path, make_translator, make_teacher):
    translator, teacher = make_translator(), make_teacher()
    store = build(tmp_path, translator, teacher)
    chunks = translator.calls
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    lengths = [len(tokens) for chunk in chunks for tokens in chunk]
    assert lengths == sorted(lengths, reverse=True)
    assert len(store) == 5
    assert (store.report.num_built, store.report.num_reused) == (5, 0)
    assert teacher.num_read == 4
    files = [path for path in tmp_path.iterdir() if path.name != "store.json"]
    assert store.report.num_bytes == sum(path.stat().st_size for path in files)
    assert store.report.bytes_per_sentence == store.report.num_bytes / 5
    assert store.report.sentences_per_second > 0


def test_only_missing_sentences_are_translated(tmp_path, make_translator, make_teacher):
    build(tmp_path, make_translator(), make_teacher(), SENTENCES[:2])
    translator = make_translator()
    store = build(tmp_path, translator, make_teacher())
    assert sorted(tokens for chunk in translator.calls for tokens in chunk) == sorted(set(SENTENCES[2:5]))
    assert (store.report.num_built, store.report.num_reused) == (3, 2)
    again = make_translator()
    assert build(tmp_path, again, make_teacher()).report.num_built == 0
    assert again.calls == []


def test_resumes_after_interruption(tmp_path, make_translator, make_teacher):
    translator = make_translator()
    translator.fail_after = 2
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "a", translator, make_teacher())
    assert len(TransferStore.open(tmp_path / "a")) == 4
    resumed = make_translator()
    store = build(tmp_path / "a", resumed, make_teacher())
    assert len(resumed.calls) == 1
    whole = build(tmp_path / "b", make_translator(), make_teacher())
    for tokens in SENTENCES:
        options = TransferOptions(posteriors=True)
        assert torch.equal(store.aligned(tokens, options), whole.aligned(tokens, options))


def test_stops_at_the_deadline_after_a_shard_and_goes_on(tmp_path, make_translator, make_teacher):
    now = time.monotonic()
    for done in (2, 4):
        with pytest.raises(OutOfTimeError, match="translated 2 of"):
            TransferStore.build(
                tmp_path, SENTENCES, make_translator(), make_teacher(), shard_size=2, deadline=now
            )
        assert len(TransferStore.open(tmp_path)) == done
    # The last shard leaves nothing to be done.
    TransferStore.build(tmp_path, SENTENCES, make_translator(), make_teacher(), shard_size=2, deadline=now)
    assert len(TransferStore.open(tmp_path)) == 5


def test_waits_for_another_process_no_longer_than_the_deadline(
    tmp_path, make_translator, make_teacher, monkeypatch
):
    monkeypatch.setattr(shard_folder, "_NUM_LOCKS", 1)
    views = TransferViews([View(make_translator(), TransferOptions())], make_teacher())
    ((store, _),) = views.stores(tmp_path, SENTENCES[:1])
    with FileLock(store.folder / ".lock-0"):
        # What is there already is read, whoever adds to it; the rest has to wait.
        assert len(views.stores(tmp_path, SENTENCES[:1], deadline=time.monotonic())) == 1
        with pytest.raises(OutOfTimeError, match="another process"):
            views.stores(tmp_path, SENTENCES, deadline=time.monotonic() + 0.2)
    ((store, _),) = views.stores(tmp_path, SENTENCES, deadline=time.monotonic() + 60)
    assert len(store) == 5


def test_a_store_that_another_process_is_about_to_make_is_no_other_folder(
    tmp_path, make_translator, make_teacher
):
    for name in (".lock", ".store.json.4321.tmp"):
        (tmp_path / name).touch()
    assert len(build(tmp_path, make_translator(), make_teacher())) == 5


def test_a_folder_that_cannot_be_written_to(tmp_path, make_translator, make_teacher, monkeypatch):
    def refuse(self, **given):
        raise PermissionError("Permission denied")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(ValueError, match="expected a folder to write to, got Permission denied"):
        build(tmp_path, make_translator(), make_teacher())


def test_who_lacks_little_need_not_wait_for_who_lacks_much(tmp_path, make_translator, make_teacher):
    class Slow(make_translator):
        def translate(self, sentences, *, progress=None):
            time.sleep(0.3)
            return super().translate(sentences, progress=progress)

    def build_short():
        build(tmp_path, make_translator(), make_teacher(), SENTENCES[3:4])
        return len(TransferStore.open(tmp_path))

    others = []
    with ThreadPoolExecutor() as pool:

        def start_another(done, to_do):
            if not others:
                others.append(pool.submit(build_short))

        store = TransferStore.build(
            tmp_path, SENTENCES, Slow(), make_teacher(), shard_size=1, progress=start_another
        )
        assert others[0].result() < 5  # it came in between
    assert len(store) == 5
    assert store.report.num_built == 4


def test_shard_without_index_does_not_count(tmp_path, make_translator, make_teacher):
    # the state after a crash between the two files of a shard
    build(tmp_path, make_translator(), make_teacher())
    index = sorted(tmp_path.glob("shard-*.json"))[0]
    index.unlink()
    assert len(TransferStore.open(tmp_path)) < 5
    store = build(tmp_path, make_translator(), make_teacher())
    assert len(store) == 5
    assert index.exists()


@pytest.mark.parametrize(
    ("translator", "teacher", "message"),
    [
        ({"fingerprint": "small-2"}, {}, "store of translator 'small-2', got one of 'small-1'"),
        ({}, {"fingerprint": "teacher-2"}, "store of teacher 'teacher-2', got one of 'teacher-1'"),
        ({"num_layers": 4}, {}, "store of num_layers 4, got one of 3"),
    ],
)
def test_refuses_another_owner(tmp_path, make_translator, make_teacher, translator, teacher, message):
    build(tmp_path, make_translator(), make_teacher())
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=message):
        build(tmp_path, make_translator(**translator), make_teacher(**teacher))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_shard_size_is_no_other_store(tmp_path, make_translator, make_teacher):
    build(tmp_path, make_translator(), make_teacher(), SENTENCES[:3])
    store = build(tmp_path, make_translator(), make_teacher(), shard_size=100)
    assert len(store) == 5


def test_a_translator_that_knows_no_difference_between_readings_is_no_error(
    tmp_path, make_translator, make_teacher
):
    plain = build(tmp_path / "plain", make_translator(with_reading=False), make_teacher())
    assert plain.aligned(SENTENCES[0], TransferOptions(reading="read")).shape == (4, 3)


def test_refuses_folders_that_are_no_store(tmp_path, make_translator, make_teacher):
    with pytest.raises(ValueError, match=r"expected a transfer store, found no store\.json"):
        TransferStore.open(tmp_path)
    (tmp_path / "thesis.txt").write_text("dear")
    with pytest.raises(ValueError, match="got other files"):
        build(tmp_path, make_translator(), make_teacher())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "store.json").write_text('{"kind": "transfer-store", "format": 99}')
    with pytest.raises(ValueError, match=r"format 2, got one of format 99; install a newer canner"):
        TransferStore.open(tmp_path)
    for older in (
        '{"kind": "transfer-store", "format": 1}',
        '{"kind": "transfer-store"}',
        '{"kind": "soup"}',
    ):
        (tmp_path / "store.json").write_text(older)
        with pytest.raises(ValueError, match=r"format 2, got '.*delete the folder"):
            TransferStore.open(tmp_path)
    (tmp_path / "store.json").write_text("{")
    with pytest.raises(ValueError, match="expected JSON"):
        TransferStore.open(tmp_path)


def test_unknown_sentence(tmp_path, make_translator, make_teacher):
    store = build(tmp_path, make_translator(), make_teacher())
    assert SENTENCES[0] in store
    assert ("adios",) not in store
    with pytest.raises(ValueError, match="expected a stored sentence, got 'adios'"):
        store.aligned(("adios",), TransferOptions())


@pytest.mark.parametrize("damage", ["safetensors", "json", "[{}]", '{"a": 1}'])
def test_a_damaged_shard_counts_as_not_there_and_is_made_again(
    tmp_path, make_translator, make_teacher, caplog, damage
):
    ending = "safetensors" if damage == "safetensors" else "json"
    whole = build(tmp_path / "whole", make_translator(), make_teacher())
    build(tmp_path / "store", make_translator(), make_teacher())
    path = next(
        path for path in sorted((tmp_path / "store").glob(f"*.{ending}")) if path.name != "store.json"
    )
    path.write_bytes(path.read_bytes()[:-5] if damage == ending else damage.encode())
    opened = TransferStore.open(tmp_path / "store")
    opened._read_indexes()
    assert len([record for record in caplog.records if path.stem in record.message]) == 1
    lost = [tokens for tokens in SENTENCES if tokens not in opened]
    assert 0 < len(set(lost)) < len(set(SENTENCES))
    with pytest.raises(ValueError, match="expected a stored sentence"):
        opened.aligned(lost[0], TransferOptions())
    again = build(tmp_path / "store", make_translator(), make_teacher())
    assert again.report.num_built == len(set(lost))
    caplog.clear()
    TransferStore.open(tmp_path / "store")
    assert not caplog.records  # nothing damaged is left
    for tokens in SENTENCES:
        for options in EVERY_READING:
            assert torch.equal(again.aligned(tokens, options), whole.aligned(tokens, options))


def test_a_shard_that_is_damaged_while_the_store_is_open_is_told(tmp_path, make_translator, make_teacher):
    store = build(tmp_path, make_translator(), make_teacher())
    shard = store._places[sentence_key(SENTENCES[0])].shard
    store._reader._open.clear()
    (tmp_path / f"{shard}.safetensors").write_bytes(b"x")
    with pytest.raises(ValueError, match="expected a whole shard"):
        store.aligned(SENTENCES[0], TransferOptions())


def test_a_damaged_manifest_says_what_to_delete(tmp_path, make_translator, make_teacher):
    build(tmp_path / "store", make_translator(), make_teacher())
    (tmp_path / "store" / "store.json").write_text('{"format":', encoding="utf-8")
    with pytest.raises(ValueError, match=f"delete the folder {tmp_path / 'store'}: it is built again"):
        build(tmp_path / "store", make_translator(), make_teacher())
    (tmp_path / "store" / "store.json").unlink()
    with pytest.raises(ValueError, match=r"no store\.json; delete the folder if it was a store"):
        build(tmp_path / "store", make_translator(), make_teacher())


def test_full_disk_leaves_nothing_half_written(tmp_path, make_translator, make_teacher):
    build(tmp_path, make_translator(), make_teacher(), SENTENCES[:1])
    before = contents(tmp_path)
    # a limit on the size of files stands in for a full disk: writes fail half-way in the same manner
    long_sentence = tuple(f"palabra{i}" for i in range(300))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(ValueError, match="the sentences finished so far are kept"):
            build(tmp_path, make_translator(), make_teacher(), [*SENTENCES, long_sentence])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert contents(tmp_path) == before
    assert len(build(tmp_path, make_translator(), make_teacher(), [*SENTENCES, long_sentence])) == 6


def test_values_that_do_not_fit_are_refused(tmp_path, make_translator, make_teacher):
    class Loud(make_teacher):
        def read(self, sentences):
            found = super().read(sentences)
            for features in found:
                features.features[0, 0] = 1e6
            return found

    with pytest.raises(ValueError, match="expected features that fit half precision"):
        build(tmp_path, make_translator(), Loud())
    assert contents(tmp_path) == ["store.json"]


def test_stores_side_by_side(tmp_path, make_translator, make_teacher):
    first = build(tmp_path / "1", make_translator(), make_teacher())
    second = build(tmp_path / "2", make_translator("small-2", seed=9), make_teacher())
    options, others = TransferOptions(), TransferOptions(layer="first", posteriors=True)
    joined = load_aligned([(first, options), (second, others)], SENTENCES)
    assert [tuple(rows.shape) for rows in joined] == [(len(tokens), 3 + 5) for tokens in SENTENCES]
    assert all(rows.dtype == torch.float16 for rows in joined)
    torch.testing.assert_close(joined[0][:, :3], first.aligned(SENTENCES[0], options).half())
    torch.testing.assert_close(joined[0][:, 3:], second.aligned(SENTENCES[0], others).half())
    with pytest.raises(ValueError, match="expected one or more transfer stores"):
        load_aligned([], SENTENCES)


def test_keys_tell_tokens_apart():
    keys = {
        sentence_key(tokens) for tokens in [("a b",), ("a", "b"), ("b", "a"), ("ab",), ("a", "b", ""), ()]
    }
    assert len(keys) == 6
    assert sentence_key(["a", "b"]) == sentence_key(("a", "b"))
    assert len(sentence_key(("\ud83d",))) == 32
