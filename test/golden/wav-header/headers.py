"""What libsndfile reads from the headers of odd WAV files, for packages/datasets/test/manifest/wav-header.test.ts.

    python headers.py ../../../../shared/data/audio_fixtures

Writes headers.json: frames, rate and channels by file; null where libsndfile refuses the file.
"""

import json
import sys
from pathlib import Path

import soundfile

HERE = Path(__file__).parent
fixtures = Path(sys.argv[1])

headers = {}
for file in sorted([*fixtures.glob("scipy/*.wav"), *fixtures.glob("lhotse/*.wav")]):
    name = file.relative_to(fixtures).as_posix()
    try:
        info = soundfile.info(str(file))
        headers[name] = [info.frames, info.samplerate, info.channels]
    except soundfile.LibsndfileError:
        headers[name] = None

(HERE / "headers.json").write_text(json.dumps(headers, indent=1) + "\n")
