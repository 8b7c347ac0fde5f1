"""Tables of what landmark models write."""

import pyarrow as pa

from thermalign.schemas.columns import FOLD, IMAGE, LANDMARK, MODEL, PROTOCOL, column
from thermalign.schemas.dataset import BOXES

UNCERTAINTY = ("expected_error", "scale_xx", "scale_xy", "scale_yy", "tail")
"""Columns of PREDICTIONS that say how a point's error is spread."""

PREDICTIONS = pa.schema(
    [
        PROTOCOL,
        FOLD,
        MODEL,
        IMAGE,
        LANDMARK,
        column("x", pa.float64(), "NaN where no face was found", "px"),
        column("y", pa.float64(), "NaN where no face was found", "px"),
        column(
            "expected_error",
            pa.float64(),
            "mean distance of the point from the true one; NaN where unknown",
            "interocular distances of the predicted face",
        ),
        column("scale_xx", pa.float64(), "scale matrix of the error's Student t; NaN too", "px^2"),
        column("scale_xy", pa.float64(), "as above", "px^2"),
        column("scale_yy", pa.float64(), "as above", "px^2"),
        column("tail", pa.float64(), "its degrees of freedom; NaN where unknown"),
    ]
)

STRESS = PREDICTIONS.append(
    column("variant", pa.string(), "name under variants: in the configuration, or 'none'")
)

DETECTIONS = pa.schema(
    [
        *(PREDICTIONS.field(name) for name in ("protocol", "fold", "model", "image_id")),
        column("rank", pa.int32(), "place among the image's detections, from 0: the best"),
        column("score", pa.float64(), "the model's own, higher is surer"),
        *(BOXES.field(name) for name in ("x", "y", "width", "height")),
    ]
)

CURVES = pa.schema(
    [
        PROTOCOL,
        FOLD,
        MODEL,
        column("stage", pa.string(), "part of the model that was trained"),
        column("step", pa.int64(), "optimiser steps of this stage so far"),
        column("loss", pa.float64(), "mean training loss since the row before"),
        column("validation_nmse", pa.float64(), "NaN where it was not measured"),
        column("core_seconds", pa.float64(), "processor time since training began", "s"),
    ]
)
