"""Tables of aligned faces and of their comparisons."""

import pyarrow as pa

from thermalign.schemas.columns import FOLD, IMAGE, MODEL, PROTOCOL, column

FACES = pa.schema(
    [
        PROTOCOL,
        FOLD,
        MODEL,
        IMAGE,
        column("width", pa.int32(), "columns of the aligned face", "px"),
        column("height", pa.int32(), "rows of the aligned face", "px"),
        column("scale", pa.float64(), "physical value = scale x count + offset", "unit / count"),
        column("offset", pa.float64(), "see scale", "unit"),
        column("pixels", pa.binary(), "height x width little-endian uint16 counts, row by row"),
    ]
)

SCORES = pa.schema(
    [
        PROTOCOL,
        FOLD,
        MODEL,
        column("probe_id", pa.string(), "image_id of the probe"),
        column("gallery_id", pa.string(), "subject_id of the enrolled subject"),
        column("genuine", pa.bool_(), "the probe shows the enrolled subject"),
        column(
            "same_moment", pa.string(), "exclude: no image of the probe's moment met it; or keep"
        ),
        column("score", pa.float64(), "higher is more alike; -inf where no face was aligned"),
    ]
)
