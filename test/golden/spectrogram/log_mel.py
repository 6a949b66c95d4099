"""librosa's logarithmic mel spectrogram (Slaney scale and norm), for packages/extract/test/spectrogram: log_mel.json."""

import json
import sys
from pathlib import Path

import librosa
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "encoders"))
from seeded import tensor  # noqa: E402

SETTINGS = dict(bands=40, window=400, hop=160, fftSize=512, lowest=20, highest=7600)
clip = 0.3 * tensor(5, "input.3000", [3000]).numpy().astype(np.float64)
window = librosa.util.pad_center(np.hamming(401)[:-1], size=512)
power = np.abs(librosa.stft(clip, n_fft=512, hop_length=160, window=window, center=True, pad_mode="constant")) ** 2
bank = librosa.filters.mel(sr=16000, n_fft=512, n_mels=40, fmin=20, fmax=7600, htk=False, norm="slaney", dtype=np.float64)
levels = np.log(np.maximum(bank @ power, 1e-10)).T
(HERE / "log_mel.json").write_text(json.dumps({"settings": SETTINGS, "samples": 3000, "ln": np.round(levels, 5).ravel().tolist()}) + "\n")
