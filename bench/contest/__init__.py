# SPDX-License-Identifier: Apache-2.0
"""What a benchmark of MAIA beside other programs needs, whatever the systems: rounds and ratios (record), table and plot
(report, plot), MAIA as a user runs it (maia), scratch servers and sessions."""
