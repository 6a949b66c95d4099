"""The PyTorch side of the step benchmark: one training step of the twin, AdamW included, on a ragged batch of 32.

    step-peer.py idiomatic|folded TEXT AUDIO THREADS

Answers lines on stdin: `run K` -> {"ms": [...]}, `memory` -> {"mib": peak}.
"""

import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "test/golden/head"))

import torch  # noqa: E402
from twin import Lsgmer, Options, random_batch  # noqa: E402

kind, text, audio, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(0)
# a map step covers 0.25 s, a frame 0.02 s
batch = random_batch(rows=32, text=text, audio=audio, map_steps=max(1, round(audio * 0.08)), ragged=True)
model = Lsgmer(Options(), text_dim=768, audio_dim=1024, map_dim=1792, classes=7, fold=kind == "folded")
optimiser = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.01)


def step() -> None:
    optimiser.zero_grad(set_to_none=True)
    logits, fused = model(batch)
    loss, _, _ = model.objective(logits, fused, batch.target)
    loss.backward()
    optimiser.step()
    loss.item()


for line in sys.stdin:
    words = line.split()
    if words[0] == "run":
        times = []
        for _ in range(int(words[1])):
            start = time.perf_counter()
            step()
            times.append((time.perf_counter() - start) * 1000)
        print(json.dumps({"ms": times}), flush=True)
    else:
        print(json.dumps({"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)
