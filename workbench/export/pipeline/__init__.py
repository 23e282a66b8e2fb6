"""``pipeline.onnx``: raw columns in, the prediction out, in one graph that every ONNX Runtime runs."""

from .build import PIPELINE_FILE, build_pipeline
from .ort_session import PipelineModel
from .parity_check import Gate, check_pipeline, golden_columns

__all__ = ["PIPELINE_FILE", "Gate", "PipelineModel", "build_pipeline", "check_pipeline", "golden_columns"]
