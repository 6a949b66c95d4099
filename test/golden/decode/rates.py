"""soxr's resampling of a band-limited sound, for packages/extract/test/decode: rates.json."""

import json
from pathlib import Path

import numpy as np
import soxr

SOURCE, SECONDS = 22050, 1.5
TONES = [(220, 0.3), (997, 0.2), (2711, 0.1)]  # Hz, amplitude: below half of every rate, filters aside
FROM, TO = 0.7, 0.71  # seconds that are kept: far from the ends, where each resampler has its own idea of what lies outside

t = np.arange(round(SOURCE * SECONDS)) / SOURCE
sound = np.round(32768 * sum(a * np.sin(2 * np.pi * f * t) for f, a in TONES)) / 32768


def kept(rate: int) -> list[float]:
    return np.round(soxr.resample(sound, SOURCE, rate, quality="VHQ")[round(FROM * rate) : round(TO * rate)], 6).tolist()


golden = {"source": SOURCE, "seconds": SECONDS, "tones": TONES, "from": FROM, "to": TO}
golden["rates"] = {str(rate): kept(rate) for rate in (8000, 16000, 24000, 44100, 48000)}
(Path(__file__).parent / "rates.json").write_text(json.dumps(golden) + "\n")
