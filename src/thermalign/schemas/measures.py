"""Tables of metrics, their intervals and their joins."""

import pyarrow as pa

from thermalign.schemas.columns import DATASET, FOLD, MODEL, PROTOCOL, column

SUBSET = (
    column(
        "experiment",
        pa.string(),
        "variant, matcher, sweep, displacement, placement, protocol, rejection, across",
    ),
    column(
        "setting",
        pa.string(),
        "name in the experiment: of variant, matcher, displacement's kind, protocol, rejected by, "
        "dataset evaluated on",
    ),
    column("level", pa.float64(), "of a displacement, IOD; share of probes rejected; else 0"),
    column("same_moment", pa.string(), "reading of same_moment; empty for the headline"),
    column("session", pa.string(), "as in IMAGES; empty for all, as in the columns that follow"),
    column("volume", pa.string(), "as in IMAGES"),
    column("range", pa.string(), "as in IMAGES"),
    column("condition", pa.string(), "as in IMAGES"),
    column("landmark", pa.string(), "one of geometry.LANDMARKS"),
    column("modality", pa.string(), "as in IMAGES"),
    column("attribute", pa.string(), "name in ATTRIBUTES"),
    column("attribute_value", pa.string(), "value of that attribute"),
)
"""Columns of :class:`thermalign.schemas.keys.Subset`."""

METRIC = (
    column("metric", pa.string(), "nmse, ced, eer, roc, ..."),
    column(
        "at", pa.float64(), "abscissa of a curve: threshold, false match rate, coverage; else 0"
    ),
)

METRICS = pa.schema(
    [
        DATASET,
        PROTOCOL,
        FOLD,
        MODEL,
        *SUBSET,
        *METRIC,
        column("value", pa.float64(), "the metric"),
        column("low", pa.float64(), "lower end of the 95 % interval; NaN without one"),
        column("high", pa.float64(), "upper end of the 95 % interval; NaN without one"),
        column("n", pa.int64(), "images or comparisons; person pairs of person_pairs_needed"),
    ]
)

REPLICATES = pa.schema(
    [
        DATASET,
        PROTOCOL,
        FOLD,
        MODEL,
        *SUBSET,
        *METRIC,
        column(
            "values",
            pa.list_(pa.field("element", pa.float64(), nullable=False)),
            "the metric of each bootstrap draw of the dataset's subjects; NaN of draws without it",
        ),
        column("subjects", pa.int32(), "test subjects of the fold that the metric rests on"),
        column("scale", pa.string(), "of the interval: rate, positive or difference"),
    ]
)

SUMMARY = pa.schema(
    [
        DATASET,
        PROTOCOL,
        MODEL,
        *SUBSET,
        *METRIC,
        *(METRICS.field(name) for name in ("value", "low", "high")),
        column("fold_sd", pa.float64(), "standard deviation over folds; NaN for one fold"),
        column("n", pa.int64(), "images or comparisons, over all folds"),
        column(
            "n_folds", pa.int32(), "folds with this metric; one that should have it makes it NaN"
        ),
    ]
)

DIFFERENCES = pa.schema(
    [
        DATASET,
        PROTOCOL,
        *SUBSET,
        column("metric", pa.string(), "nmse, eer, tar_at_far or rank1"),
        METRICS.field("at"),
        column("model_a", pa.string(), "minuend"),
        column("model_b", pa.string(), "subtrahend"),
        *(METRICS.field(name) for name in ("value", "low", "high")),
        column("n", pa.int64(), "images or comparisons that both have, over all folds"),
        column("p", pa.float64(), "two-sided, of the interval's t statistic, unadjusted; or NaN"),
        column("p_holm", pa.float64(), "adjusted: pairs of models, all images and ranges; or NaN"),
        column("n_subjects", pa.int32(), "people p and interval rest on, of the fold with most"),
    ]
)

SPREAD = pa.schema(
    [
        PROTOCOL,
        column("model", pa.string(), "name under models: in the configuration, over all seeds"),
        column("train_subjects", pa.int32(), "of the protocol, validation subjects included"),
        column("nmse", pa.float64(), "mean over folds and training seeds of the NMSE", "IOD"),
        *(METRICS.field(name) for name in ("low", "high")),
        column("seed_se", pa.float64(), "of nmse, by seeds drawn; NaN for one seed", "IOD"),
        column("subject_se", pa.float64(), "of nmse, by test subjects drawn; bootstrap", "IOD"),
        column("seed_sd", pa.float64(), "between seeds; NaN for one seed", "IOD"),
        column("subject_sd", pa.float64(), "between subjects; with one seed, rest too", "IOD"),
        column("residual_sd", pa.float64(), "of what is neither; NaN for one seed", "IOD"),
        column("n_seeds", pa.int32(), "trainings on each fold"),
        column("n_subjects", pa.int32(), "test subjects of the standard deviations, all folds"),
    ]
)
