import sys
from pathlib import Path

# The benchmarks are programs beside the package; their parts are imported from there.
sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
