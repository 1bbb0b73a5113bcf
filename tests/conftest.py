import sys
from pathlib import Path

# Builders that several test folders use live beside this file.
sys.path.insert(0, str(Path(__file__).parent))
