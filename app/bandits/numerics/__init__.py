"""Quadrature, quantiles and special functions on arrays; knows neither arms nor policies."""
