"""Values of librosa and torch for packages/extract/test/spectrogram (alexnet-mel v1).

    python alexnet_mel.py

Writes mel_bank.json and alexnet_mel.json. Waveforms are written as int16 (the value / 32768 is the sample).
"""

import json
from pathlib import Path

import librosa
import numpy as np
import torch

HERE = Path(__file__).parent
RATE, FFT, WINDOW, HOP, BANDS = 16000, 800, 640, 160, 128

bank = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=BANDS, fmin=0, fmax=8000, htk=False, norm="slaney", dtype=np.float64)


def stft_power(samples):
    emphasised = librosa.effects.preemphasis(samples, coef=0.97, zi=np.zeros(1))
    spectrum = librosa.stft(
        emphasised, n_fft=FFT, hop_length=HOP, win_length=WINDOW, window="hamming", center=True, pad_mode="constant"
    )
    return np.abs(spectrum) ** 2


def levels(samples):
    mel = bank @ stft_power(samples)
    if mel.max() == 0:
        return np.zeros_like(mel)
    return (librosa.power_to_db(mel, ref=np.max, amin=1e-300, top_db=80) + 80) / 80


def picture(samples):
    columns = max(1, round(len(samples) / 125))
    mel = torch.from_numpy(levels(samples)[::-1].copy())[None, None]
    resized = torch.nn.functional.interpolate(mel, size=(256, columns), mode="bilinear", align_corners=False)
    return torch.nn.functional.pad(resized, (0, max(0, 63 - columns)))[0, 0].numpy()


def voice(count, seed):
    """A gliding harmonic tone with noise and a fading end: every band and the floor of -80 dB are met."""
    rng = np.random.default_rng(seed)
    time = np.arange(count) / RATE
    phase = 2 * np.pi * np.cumsum(140 + 220 * time) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    fade = np.where(np.arange(count) < 0.7 * count, 1.0, 0.0)
    samples = fade * (0.2 * tone + 0.003 * rng.standard_normal(count))
    return np.round(samples * 32768).clip(-32768, 32767).astype(int)


def digits(values, places=7):
    return [float(f"{value:.{places}g}") for value in np.asarray(values).ravel()]


def write(name, value):
    (HERE / name).write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")


rows = []
for row in bank:
    places = np.flatnonzero(row)
    rows.append({"first": int(places[0]), "weights": digits(row[places[0] : places[-1] + 1])})
write("mel_bank.json", rows)

clips = []
for count, seed in [(6413, 1), (1023, 2), (160, 3), (7, 4), (1, 5)]:
    pcm = voice(count, seed)
    samples = pcm / 32768.0
    power = stft_power(samples)
    image = picture(samples)
    clips.append(
        {
            "pcm": pcm.tolist(),
            "frames": power.shape[1],
            "power": digits(power[:, -1]),
            "powerFirst": digits(power[:, 0]),
            "levels": digits(levels(samples), 6),
            "columns": image.shape[1],
            "pictureRows": {str(row): digits(image[row], 6) for row in (0, 1, 77, 128, 200, 254, 255)},
        }
    )
write("alexnet_mel.json", clips)
