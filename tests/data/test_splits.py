import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.data import splits
from netwright.errors import DataError
from netwright.spec_data import SplitSpec

NOTHING = {"labels": None, "groups": None, "times": None, "official": None}


def sizes(codes: np.ndarray) -> list[int]:
    return np.bincount(codes, minlength=3).tolist()


def test_random_split_has_the_wished_sizes_and_depends_on_the_seed() -> None:
    codes, reason = splits.split(SplitSpec(), 0, **NOTHING, count=100)
    again, _ = splits.split(SplitSpec(), 0, **NOTHING, count=100)
    other, _ = splits.split(SplitSpec(), 1, **NOTHING, count=100)
    assert sizes(codes) == [70, 15, 15]
    assert (codes == again).all()
    assert (codes != other).any()
    assert reason.value == "random"
    assert "70 train, 15 validation, 15 test" in reason.why


def test_classes_make_the_default_stratified() -> None:
    labels = np.repeat([0, 1], [80, 20])
    codes, reason = splits.split(SplitSpec(), 0, **NOTHING | {"labels": labels}, count=100)
    assert reason.value == "stratified"
    assert sizes(codes[labels == 0]) == [56, 12, 12]
    assert sizes(codes[labels == 1]) == [14, 3, 3]


def test_folds_test_every_example_once_with_equal_class_shares() -> None:
    labels = np.repeat([0, 1], [83, 20])
    given = NOTHING | {"labels": labels}
    folds = [splits.split(SplitSpec(fold=f"{k}/10"), 0, **given, count=103)[0] for k in range(1, 11)]
    tested = np.stack([codes == splits.TEST for codes in folds])
    assert (tested.sum(axis=0) == 1).all()
    assert set(tested[:, labels == 0].sum(axis=1).tolist()) == {8, 9}
    assert set(tested[:, labels == 1].sum(axis=1).tolist()) == {2}
    assert all(0.8 < (codes == splits.TRAIN).sum() / (codes != splits.TEST).sum() < 0.9 for codes in folds)


def test_folds_of_groups_tear_none_apart() -> None:
    groups = np.repeat(list("abcdefg"), [30, 10, 10, 10, 10, 10, 10])
    given = NOTHING | {"groups": groups}
    found = [splits.split(SplitSpec(by="group", column="g", fold=f"{k}/3"), 0, **given, count=90) for k in (1, 2, 3)]
    tested = np.stack([codes == splits.TEST for codes, _ in found])
    assert (tested.sum(axis=0) == 1).all()
    assert tested.sum(axis=1).tolist() == [30, 30, 30]
    for codes, why in found:
        assert all(len(set(codes[groups == name])) == 1 for name in "abcdefg")
        assert "of 3 is the test part" in why.why


def test_folds_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"must say which of how many, e\.g\. 3/10"):
        SplitSpec(fold="11/10")
    with pytest.raises(ValueError, match="not by time"):
        SplitSpec(by="time", column="t", fold="1/10")
    spec = SplitSpec(by="group", column="g", fold="1/4")
    with pytest.raises(DataError, match="4 folds of 3 groups"):
        splits.split(spec, 0, **NOTHING | {"groups": np.repeat(list("abc"), 9)}, count=27)


def test_class_of_two_trains_and_class_of_three_reaches_every_part() -> None:
    labels = np.repeat([0, 1, 2], [2, 3, 30])
    codes, _ = splits.split(SplitSpec(), 0, **NOTHING | {"labels": labels}, count=35)
    assert sizes(codes[labels == 0]) == [2, 0, 0]
    assert sizes(codes[labels == 1]) == [1, 1, 1]


def test_no_validation_wished_gives_none() -> None:
    codes, _ = splits.split(SplitSpec(parts=(0.8, 0.0, 0.2)), 0, **NOTHING, count=50)
    assert sizes(codes) == [40, 0, 10]


def test_groups_are_never_torn() -> None:
    groups = np.repeat([f"writer {i}" for i in range(20)], 5)
    codes, _ = splits.split(SplitSpec(by="group", column="w"), 0, **NOTHING | {"groups": groups}, count=100)
    assert sizes(codes) == [70, 15, 15]
    for name in np.unique(groups):
        assert len(np.unique(codes[groups == name])) == 1


def test_three_equal_groups_reach_all_three_parts() -> None:
    groups = np.repeat(["a", "b", "c"], 10)
    codes, _ = splits.split(SplitSpec(by="group", column="w"), 0, **NOTHING | {"groups": groups}, count=30)
    assert sizes(codes) == [10, 10, 10]


def test_two_groups_are_refused() -> None:
    groups = np.repeat(["a", "b"], 10)
    with pytest.raises(DataError, match="needs at least 3 groups, the column has 2"):
        splits.split(SplitSpec(by="group", column="w"), 0, **NOTHING | {"groups": groups}, count=20)


def test_time_split_trains_on_the_past_and_keeps_moments_whole() -> None:
    times = np.array([5, 1, 1, 1, 2, 3, 4, 6, 7, 8])[::-1].copy()
    wish = SplitSpec(by="time", column="t", parts=(0.2, 0.4, 0.4))
    codes, _ = splits.split(wish, 0, **NOTHING | {"times": times}, count=10)
    assert times[codes == 0].tolist() == [1, 1, 1]
    assert sorted(times[codes == 1].tolist()) == [2, 3, 4]
    assert times[codes == 0].max() < times[codes == 1].min() < times[codes == 2].min()


def test_official_test_is_kept_and_validation_cut_from_train() -> None:
    official = np.array(["train"] * 100 + ["test"] * 20)
    labels = np.arange(120) % 2
    codes, reason = splits.split(SplitSpec(), 0, **NOTHING | {"official": official, "labels": labels}, count=120)
    assert sizes(codes) == [84, 16, 20]
    assert (codes[100:] == splits.TEST).all()
    assert sizes(codes[labels == 0]) == sizes(codes[labels == 1])
    assert "brings its own test examples; validation is 15% cut from its training examples" in reason.why


def test_official_validation_is_kept_and_test_cut_from_train() -> None:
    official = np.array(["train"] * 100 + ["val"] * 20)
    codes, reason = splits.split(SplitSpec(), 0, **NOTHING | {"official": official}, count=120)
    assert sizes(codes) == [85, 20, 15]
    assert (codes[100:] == splits.VALIDATION).all()
    assert "test is 15% cut from its training examples" in reason.why


def test_complete_official_split_is_taken_as_it_is() -> None:
    official = np.array(["train", "test", "dev", ""])
    codes, reason = splits.split(SplitSpec(), 0, **NOTHING | {"official": official}, count=4)
    assert codes.tolist() == [0, 2, 1, 0]
    assert "the data brings its own split" in reason.why


def test_wish_beats_the_official_split() -> None:
    official = np.array(["train"] * 50 + ["test"] * 50)
    codes, reason = splits.split(SplitSpec(by="random"), 0, **NOTHING | {"official": official}, count=100)
    assert sizes(codes) == [70, 15, 15]
    assert reason.value == "random"


def test_official_split_without_training_is_refused() -> None:
    with pytest.raises(DataError, match="own split has no training example"):
        splits.split(SplitSpec(), 0, **NOTHING | {"official": np.array(["test"] * 9)}, count=9)


def test_words_that_name_no_part_are_all_listed() -> None:
    with pytest.raises(
        DataError, match=r'column "set" holds "fold 1" \(2\), "fold 2" \(1\); a split column says train'
    ):
        splits.official_codes(["train", "fold 1", "fold 1", "fold 2", " Test "], "set")


def test_wish_without_its_column_is_refused() -> None:
    with pytest.raises(DataError, match="cannot be split by stratified: no output is a category or an identity"):
        splits.split(SplitSpec(by="stratified"), 0, **NOTHING, count=10)


def test_part_that_comes_out_empty_is_refused() -> None:
    times = np.zeros(10)
    with pytest.raises(DataError, match="split by time: nothing is left for validation and test out of 10 examples"):
        splits.split(SplitSpec(by="time", column="t"), 0, **NOTHING | {"times": times}, count=10)


def test_tags_that_some_part_lacks_are_told() -> None:
    codes = np.array([0, 0, 1, 2])
    tags = np.array([[1, 0, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
    assert splits.tag_remarks(codes, tags, ("a", "b", "c", "d"), "labels") == [
        'labels: class "d" without a usable example.',
        'labels: class "b" without a training example: not to be learned.',
        'labels: class "c" without a test example: the score is unknown.',
    ]


@given(st.lists(st.integers(0, 6), min_size=25, max_size=200), st.integers(0, 5))
def test_stratified_split_covers_every_example_once(classes: list[int], seed: int) -> None:
    labels = np.array(classes)
    codes, _ = splits.split(SplitSpec(), seed, **NOTHING | {"labels": labels}, count=len(labels))
    assert len(codes) == len(labels)
    for label in np.unique(labels):
        part = sizes(codes[labels == label])
        assert part[0] >= 1
        assert (min(part) >= 1) == (sum(part) >= 3)


def test_some_training_examples_are_taken_in_their_classes_shares_and_more_hold_fewer() -> None:
    labels = np.repeat([0, 1, 2], [80, 16, 4])
    codes = np.zeros(120, dtype=np.int8)
    codes[100:] = splits.TEST
    every = np.concatenate([labels, np.zeros(20, dtype=np.int64)])
    few, reason = splits.taken(codes, 25, 7, every)
    many, _ = splits.taken(codes, 0.5, 7, every)
    assert [int(((few == splits.TRAIN) & (every == c)).sum()) for c in range(3)] == [20, 4, 1]
    assert [int(((many == splits.TRAIN) & (every == c)).sum()) for c in range(3)] == [40, 8, 2]
    assert set(np.flatnonzero(few == splits.TRAIN)) < set(np.flatnonzero(many == splits.TRAIN))
    assert (few[100:] == splits.TEST).all()
    assert int((few == -1).sum()) == 75
    assert reason.why == "of 100 training examples, in their classes' shares; the others stay unused"
    assert (splits.taken(codes, 25, 8, every)[0] != few).any()


def test_of_very_few_taken_each_class_has_one() -> None:
    labels = np.repeat([0, 1], [98, 2])
    codes, _ = splits.taken(np.zeros(100, dtype=np.int8), 3, 0, labels)
    assert [int(((codes == 0) & (labels == c)).sum()) for c in (0, 1)] == [2, 1]


@pytest.mark.parametrize("take", [1, 101, 0.001])
def test_what_cannot_be_taken_is_refused(take: int | float) -> None:
    with pytest.raises(DataError, match=r"data\.split\.take: .* of 100 training examples.*\."):
        splits.taken(np.zeros(100, dtype=np.int8), take, 0, np.repeat([0, 1], 50))


def test_without_classes_any_number_is_taken() -> None:
    codes, _ = splits.taken(np.zeros(100, dtype=np.int8), 1, 0, None)
    assert int((codes == 0).sum()) == 1
