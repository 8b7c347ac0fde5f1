"""Nobody of another dataset is tested whom the models, or the matcher, were trained on."""

import pandas as pd
import pytest

from thermalign.evaluation.admitted import admit

OWN = pd.DataFrame(
    {"subject_id": ["a", "b", "c", "d"], "role": ["train", "validation", "test", None]}
)
NAMED = ("evaluate_on.there", "home")


def there(*people):
    return pd.DataFrame({"image_id": [f"{p}_1" for p in people], "subject_id": list(people)})


def admitted(people, images):
    return list(admit(images, OWN, people=people, named=NAMED)["subject_id"])


def test_of_the_same_people_those_are_tested_whom_the_fold_tests_and_those_it_does_not_know():
    assert admitted("same", there("a", "b", "c", "d", "e")) == ["c", "e"]


def test_everybody_is_tested_where_equal_names_mean_nothing():
    assert admitted("others", there("a", "c")) == ["a", "c"]


def test_a_name_in_both_is_refused_where_nothing_says_what_it_means():
    assert admitted("apart", there("x", "y")) == ["x", "y"]
    told = r"evaluate_on\.there: subject_id c \(2 in all\) is a name in home, too; say people: same"
    with pytest.raises(ValueError, match=told):
        admitted("apart", there("x", "d", "c"))


def test_nobody_left_to_be_tested_is_refused():
    with pytest.raises(ValueError, match=r"evaluate_on\.there: all 2 people take part in training"):
        admitted("same", there("a", "b"))
