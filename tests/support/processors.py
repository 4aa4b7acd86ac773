"""Other processors, played by this one: what numpy, its BLAS and the C library may use is switched off."""

import os
from collections.abc import Mapping

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched
from numpy._core._multiarray_umath import __cpu_features__ as supported

USABLE = [name for name in dispatched if supported[name]]
WIDE = [name for name in USABLE if name.startswith("AVX512") or name == "X86_V4"]
"""Numpy's names of what needs AVX512; the others are AVX2 with FMA3 (X86_V3), or of another architecture."""

SWITCHED_OFF: dict[str, dict[str, str]] = {
    "nothing": {},
    "AVX512": {"NPY_DISABLE_CPU_FEATURES": " ".join(WIDE), "OPENBLAS_CORETYPE": "Haswell"},
    "AVX512, AVX2 and FMA": {
        "NPY_DISABLE_CPU_FEATURES": " ".join(USABLE),
        "OPENBLAS_CORETYPE": "Nehalem",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4",
    },
}
"""Environments of a process by what it must do without. Numpy reads them when it is imported."""


def environment(without: str, **others: str) -> Mapping[str, str]:
    """Return the variables of a process that must do without some features; skip the test where there are none."""
    switched_off = SWITCHED_OFF[without]
    if switched_off and not switched_off["NPY_DISABLE_CPU_FEATURES"]:
        pytest.skip(f"this processor, or numpy on it, has no {without} to switch off")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**inherited, **switched_off, **others}
