"""Who of another dataset a fold's models are tested on: nobody whom they were trained on."""

import pandas as pd

SAME, OTHERS = "same", "others"
"""What a name in both datasets says: that it is one person, or nothing."""


def admit(
    images: pd.DataFrame, own: pd.DataFrame, *, people: str, named: tuple[str, str]
) -> pd.DataFrame:
    """Return the images of another dataset that are tested.

    Of people whom both datasets show only those of the fold's test people are, so that neither the
    models nor the matcher have seen them, and so that every fold tests whom it tests at home.

    Parameters
    ----------
    images : DataFrame of IMAGES of the other dataset
    own : DataFrame
        IMAGES of the protocol's dataset with ``role``, NaN for people who take no part.
    people : str
        ``same``, ``others``, or anything else, which refuses a name that both datasets have.
    named : tuple of str
        Key of the configuration, and the protocol's dataset, for messages.

    Raises
    ------
    ValueError
        If a name is in both and nothing says what that means, or nobody is left to be tested.
    """
    if people == OTHERS:
        return images
    where, dataset = named
    shared = sorted({*own["subject_id"]} & {*images["subject_id"]})
    if people != SAME:
        if shared:
            raise ValueError(
                f"{where}: subject_id {shared[0]} ({len(shared)} in all) is a name in {dataset}, "
                "too; say people: same if it is that person, who is then tested only in folds that "
                "do not train on them, or people: others if it is not"
            )
        return images
    tested = {*own.loc[own["role"] == "test", "subject_id"]}
    left = images[~images["subject_id"].isin({*shared} - tested)]
    if left.empty:
        raise ValueError(
            f"{where}: all {images['subject_id'].nunique()} people take part in training on "
            f"{dataset}, or in nothing; test on others, or leave some out of train_subjects"
        )
    return left
