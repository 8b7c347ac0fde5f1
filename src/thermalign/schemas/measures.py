"""Tables of metrics, their intervals and their joins."""

import pyarrow as pa

from thermalign.schemas.columns import FOLD, MODEL, PROTOCOL, column

METRICS = pa.schema(
    [
        PROTOCOL,
        FOLD,
        MODEL,
        column("subset", pa.string(), "all, or variant or column of IMAGES=value, joined by '&'"),
        column("metric", pa.string(), "nmse, ced, eer, roc, ..."),
        column("at", pa.float64(), "abscissa of a curve: threshold or false match rate; else 0"),
        column("value", pa.float64(), "the metric"),
        column("low", pa.float64(), "lower end of the 95 % interval; NaN without one"),
        column("high", pa.float64(), "upper end of the 95 % interval; NaN without one"),
        column("n", pa.int64(), "images or comparisons; person pairs of person_pairs_needed"),
    ]
)

REPLICATES = pa.schema(
    [
        *(METRICS.field(name) for name in ("protocol", "fold", "model", "subset", "metric", "at")),
        column("draw", pa.int32(), "bootstrap draw of the dataset's subjects, from 0"),
        column("value", pa.float64(), "the metric of the drawn subjects; NaN without one"),
        column("subjects", pa.int32(), "test subjects of the fold that the metric rests on"),
    ]
)

SUMMARY = pa.schema(
    [
        *(METRICS.field(name) for name in ("protocol", "model", "subset", "metric", "at")),
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
        PROTOCOL,
        column("subset", pa.string(), "as in METRICS"),
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
