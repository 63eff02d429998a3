"""Benchmarks: every figure stands beside a control of the same run, because machines here are shared and noisy."""
