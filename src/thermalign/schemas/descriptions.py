"""Tables that describe datasets and runs."""

import pyarrow as pa

from thermalign.schemas.columns import DATASET, column

CARD = pa.schema(
    [
        DATASET,
        column("modality", pa.string(), "thermal or visible; empty for both"),
        column("range", pa.string(), "as in IMAGES; empty for all"),
        column("statistic", pa.string(), "images, interocular_distance, image_p50, ..."),
        column("at", pa.float64(), "lower edge of a histogram's bin; else 0", "see unit"),
        column("value", pa.float64(), "mean over images, a count, or the share of a bin"),
        column("sd", pa.float64(), "standard deviation over what n counts; NaN without one"),
        column(
            "n",
            pa.int64(),
            "images that the value is taken over; people, of a region",
        ),
        column("unit", pa.string(), "of value and sd; of at in a histogram"),
    ]
)

LIKENESS = pa.schema(
    [
        *(CARD.field(name) for name in ("dataset", "modality", "range", "statistic", "unit")),
        column("source", pa.string(), "collection of real faces"),
        column("real_mean", pa.float64(), "mean over what real_n counts", "see unit"),
        column("real_sd", pa.float64(), "standard deviation over what real_n counts", "see unit"),
        column("real_n", pa.int64(), "its images; of temperatures, its people"),
        column("mean", pa.float64(), "mean over what n counts", "see unit"),
        column("sd", pa.float64(), "standard deviation over what n counts", "see unit"),
        column("n", pa.int64(), "the dataset's images; of temperatures, its people"),
        column("difference", pa.float64(), "mean minus real_mean", "real_sd"),
        column("ratio", pa.float64(), "sd over real_sd"),
        column("near_mean", pa.float64(), "largest difference that agrees", "real_sd"),
        column("near_spread", pa.float64(), "largest ratio that agrees, or its inverse"),
        column("least_subjects", pa.int64(), "fewest people that are judged"),
        column(
            "verdict",
            pa.string(),
            "agrees, mean differs, spread differs, both differ, camera, box, too few",
        ),
    ]
)

FINDINGS = pa.schema(
    [
        column("check", pa.string(), "outlier, rounded, registered, ...: docs/audit.md"),
        column("severity", pa.string(), "stops, warns or quarantined"),
        column("image_id", pa.string(), "of the image; empty for a modality or the whole set"),
        column("subject_id", pa.string(), "person on it; empty where it was not read"),
        column("other_id", pa.string(), "a second image that belongs to the finding, or empty"),
        column("modality", pa.string(), "thermal or visible; empty where neither is known"),
        column("row", pa.int64(), "line of the manifest; 0 without one"),
        column("value", pa.float64(), "what was measured; NaN where nothing was", "see reason"),
        column("limit", pa.float64(), "what it may be at most, or at least", "see reason"),
        column("reason", pa.string(), "the finding in a sentence; why a record was left out"),
    ]
)

COSTS = pa.schema(
    [
        column("rule", pa.string(), "rule that ran"),
        column("job", pa.string(), "its wildcards, joined by '/'"),
        column("wall", pa.float64(), "elapsed time", "s"),
        column("cpu", pa.float64(), "processor time, user and system", "s"),
        column("start_up", pa.float64(), "time until the step itself began", "s"),
        column("memory", pa.float64(), "peak resident memory", "MiB"),
        column("device", pa.string(), "where the arithmetic ran"),
        column("precision", pa.string(), "that networks computed in: float32, bfloat16; or empty"),
    ]
)
