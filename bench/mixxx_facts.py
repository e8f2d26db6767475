"""Analysis by Mixxx's analysers, as a peer of `bench.analysis`.

    PYTHON bench/mixxx_facts.py FILE…

Runs in an environment of its own (``pip install mixxx-analyzer``: Mixxx's analysers of tempo and
key without its window; GPL-2+ keeps it out of this project's), imports nothing of the project, and
prints one JSON object per file.
"""

import json
import sys

import mixxx_analyzer

for found in mixxx_analyzer.analyze_many(sys.argv[1:]):
    facts = {"tempo_bpm": found.bpm, "beats_s": found.beatgrid, "key": found.key or None}
    print(json.dumps(facts), flush=True)
