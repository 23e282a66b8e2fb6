"""``pipeline.onnx``: one ONNX graph from raw columns to the prediction, for every ONNX Runtime."""

from .build import PIPELINE_FILE, build_pipeline
from .ort_session import PipelineModel
from .parity_check import PipelineParity, check_pipeline, golden_columns

__all__ = [
    "PIPELINE_FILE",
    "PipelineModel",
    "PipelineParity",
    "build_pipeline",
    "check_pipeline",
    "golden_columns",
]
