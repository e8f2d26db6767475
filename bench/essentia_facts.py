"""Analysis by Essentia, as a peer of `bench.analysis`.

    PYTHON bench/essentia_facts.py FILE…

Runs in an environment of its own (``pip install essentia``: its licence, AGPL-3, keeps it out of
this project's), imports nothing of the project, and prints one JSON object per file.
"""

import json
import sys

import essentia
import essentia.standard as es

essentia.log.infoActive = False
essentia.log.warningActive = False

for path in sys.argv[1:]:
    mono = es.MonoLoader(filename=path, sampleRate=44100)()
    tempo_bpm, beats_s, *_ = es.RhythmExtractor2013(method="degara")(mono)
    tonic, mode, _ = es.KeyExtractor(profileType="bgate")(mono)
    facts = {
        "tempo_bpm": float(tempo_bpm),
        "beats_s": [float(time) for time in beats_s],
        "key": f"{tonic} {mode}",
    }
    print(json.dumps(facts), flush=True)
