"""The number format of training: that of `canner.nn.precision`."""

from canner.nn.precision import Precision, autocast, cpu_has_bfloat16

__all__ = ["Precision", "autocast", "cpu_has_bfloat16"]
