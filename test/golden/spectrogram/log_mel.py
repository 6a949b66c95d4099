"""librosa's logarithmic mel spectrogram (Slaney scale and norm), for packages/extract/test/spectrogram: log_mel.json."""

import json
import sys
from pathlib import Path

import librosa
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "encoders"))
from seeded import tensor  # noqa: E402



def levels(settings: dict, samples: int) -> list[float]:
    """ln of the power in each band, [frames, bands], row by row."""
    rate, size, length = settings["rate"], settings["fftSize"], settings["window"]
    clip = 0.3 * tensor(5, f"input.{samples}", [samples]).numpy().astype(np.float64)
    window = librosa.util.pad_center(np.hamming(length + 1)[:-1], size=size)
    spectra = librosa.stft(clip, n_fft=size, hop_length=settings["hop"], window=window, center=True, pad_mode="constant")
    edges = dict(fmin=settings["lowest"], fmax=settings["highest"])
    bank = librosa.filters.mel(
        sr=rate, n_fft=size, n_mels=settings["bands"], **edges, htk=False, norm="slaney", dtype=np.float64
    )
    return np.round(np.log(np.maximum(bank @ np.abs(spectra) ** 2, 1e-10)).T, 5).ravel().tolist()


CASES = [
    (dict(rate=16000, bands=40, window=400, hop=160, fftSize=512, lowest=20, highest=7600), 3000),
    (dict(rate=24000, bands=40, window=600, hop=300, fftSize=1024, lowest=0, highest=12000), 1500),
]
golden = [{"settings": settings, "samples": samples, "ln": levels(settings, samples)} for settings, samples in CASES]
(HERE / "log_mel.json").write_text(json.dumps(golden) + "\n")
