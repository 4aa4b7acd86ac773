"""Operations on experiments, their settings and variants; what their data show is in `analysis`."""
