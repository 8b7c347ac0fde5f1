"""Tables of a dataset and of its folds."""

import pyarrow as pa

from thermalign.schemas.columns import FOLD, IMAGE, LANDMARK, PROTOCOL, column

IMAGES = pa.schema(
    [
        column("image_id", pa.string(), "unique key"),
        column("subject_id", pa.string(), "person"),
        column("session", pa.string(), "recording session"),
        column("volume", pa.int32(), "part of the dataset, from 1"),
        column("range", pa.int32(), "1 near, 2 middle, 3 far"),
        column("condition", pa.string(), "baseline, expression, ..."),
        column("modality", pa.string(), "thermal or visible"),
        column("pair_id", pa.string(), "joins a thermal and a visible image; empty without one"),
        column("moment", pa.string(), "all frames of one sample, in both modalities"),
        column("path", pa.string(), "image file, relative to the working directory or absolute"),
        column("width", pa.int32(), "columns", "px"),
        column("height", pa.int32(), "rows", "px"),
        column("bit_depth", pa.int32(), "bits of a stored count", "bit"),
        column("scale", pa.float64(), "physical value = scale x count + offset", "unit / count"),
        column("offset", pa.float64(), "see scale; degrees Celsius where thermal", "unit"),
        column("sha256", pa.string(), "digest of the file"),
    ]
)

ANNOTATIONS = pa.schema(
    [
        IMAGE,
        LANDMARK,
        column("x", pa.float64(), "annotated column", "px"),
        column("y", pa.float64(), "annotated row", "px"),
        column("visible", pa.bool_(), "false where something hides the landmark"),
    ]
)

BOXES = pa.schema(
    [
        IMAGE,
        column("source", pa.string(), "given, derived, fixed or found"),
        column("x", pa.float64(), "centre of the box's leftmost pixels", "px"),
        column("y", pa.float64(), "centre of the box's topmost pixels", "px"),
        column("width", pa.float64(), "columns of the box", "px"),
        column("height", pa.float64(), "rows of the box", "px"),
    ]
)

ATTRIBUTES = pa.schema(
    [
        IMAGE,
        column("name", pa.string(), "what is known of the person or the image: glasses, beard"),
        column("value", pa.string(), "yes, no, or any other word"),
    ]
)

FOLDS = pa.schema(
    [
        PROTOCOL,
        FOLD,
        IMAGE,
        column("role", pa.string(), "train, validation or test"),
        column("flipped", pa.bool_(), "a mirrored copy, in train only"),
    ]
)
