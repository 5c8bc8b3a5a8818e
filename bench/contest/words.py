# SPDX-License-Identifier: Apache-2.0
"""The words that every bench understands."""
import argparse
from pathlib import Path


def words(name, description):
    parser = argparse.ArgumentParser(prog=f"./dev bench {name}", description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the rows and fewer rounds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--maia", type=Path, default=Path("build/release/maia"), help="the program to measure")
    parser.add_argument("--results", type=Path, default=Path("bench/results"))
    return parser
