"""Engines that run the build kernels."""
