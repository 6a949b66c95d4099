"""The PyTorch sides of the epoch benchmark: the idiomatic twin on one .npy an utterance and feature.

    epoch-peer.py today|buckets FOLDER THREADS WORKERS

`today`: DataLoader, random order, padded to the longest of the batch. `buckets`: the batches that lsgmer trains on.
Answers lines on stdin: `epoch K` -> {"seconds": s}, `memory` -> {"mib": peak of this process and its workers}.
"""

import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "test/golden/head"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn.utils.rnn import pad_sequence  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402
from twin import Batch, Lsgmer, Options, frame_positions  # noqa: E402

kind, folder, threads, workers = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(0)
labels = json.loads((folder / "rows.json").read_text())["labels"]


class Utterances(Dataset):
    def __len__(self) -> int:
        return len(labels)

    def __getitem__(self, i: int):
        return *(torch.from_numpy(np.load(folder / "npy" / feature / f"{i}.npy")) for feature in ("text", "audio", "map")), labels[i]


def collate(rows) -> Batch:
    texts, audios, maps, targets = zip(*rows)
    map_lengths = torch.tensor([len(m) for m in maps])
    audio = pad_sequence(audios, batch_first=True)
    return Batch(
        text=pad_sequence(texts, batch_first=True),
        text_lengths=torch.tensor([len(t) for t in texts]),
        audio=audio,
        audio_lengths=torch.tensor([len(a) for a in audios]),
        map=pad_sequence(maps, batch_first=True),
        map_lengths=map_lengths,
        map_position=frame_positions(audio.shape[1], map_lengths, 200 / 16000, 320 / 16000, 31.5 / 128, 32 / 128).float(),
        target=torch.tensor(targets),
    )


def loader(epoch: int) -> DataLoader:
    if kind == "today":
        return DataLoader(Utterances(), batch_size=32, shuffle=True, num_workers=workers, collate_fn=collate)
    buckets = json.loads((folder / "buckets.json").read_text())[epoch]
    return DataLoader(Utterances(), batch_sampler=buckets, num_workers=workers, collate_fn=collate)


model = Lsgmer(Options(), text_dim=768, audio_dim=1024, map_dim=1792, classes=7, fold=False)
optimiser = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.01)


def run(epoch: int) -> float:
    start = time.perf_counter()
    for batch in loader(epoch):
        optimiser.zero_grad(set_to_none=True)
        logits, fused = model(batch)
        loss, _, _ = model.objective(logits, fused, batch.target)
        loss.backward()
        optimiser.step()
        loss.item()
    return time.perf_counter() - start


for line in sys.stdin:
    words = line.split()
    if words[0] == "epoch":
        print(json.dumps({"seconds": run(int(words[1]))}), flush=True)
    else:
        peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(json.dumps({"mib": peak // 1024}), flush=True)
