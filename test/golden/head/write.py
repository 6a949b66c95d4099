"""Writes lsgmer.json and lsgmer.safetensors: what the PyTorch twin computes, in float64, for small dimensions.

    python test/golden/head/write.py

Weights and batch are not stored: `stream` below is repeated in the test. For every case the JSON holds the head's
configuration, its parameters (name, shape, scale, offset, in the order of the flat vector), loss, cross entropy,
APC and logits; the safetensors file holds `<case>/gradient` (all gradients, flat) and, where a case trains,
`<case>/final` (all parameters after the last step).
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from twin import Batch, Lsgmer, Options, frame_positions

HERE = Path(__file__).parent
ROWS, TOKENS, FRAMES, STEPS, CLASSES, D = 5, 6, 9, 4, 4, 16
DIMS = {"text": 6, "audio": 5, "map": 14}
LENGTHS = {"text": [6, 1, 4, 3, 5], "audio": [9, 5, 1, 8, 6], "map": [4, 2, 1, 3, 4]}
# centres of frames and map steps: the first frames lie before the first step, the last ones after the last
TIMES = {"audio": {"firstSeconds": 0.05, "stepSeconds": 0.11}, "map": {"firstSeconds": 0.2, "stepSeconds": 0.25}}
TARGET = [2, 0, 3, 1, 2]
TRAINING = {"steps": 20, "epoch": 5, "lr": 5e-4, "decay": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}

# name of a case -> settings, in the keys of the head's options. `default` has none.
CASES = {
    "default": {},
    "text.encoder=linear": {"text.encoder": "linear"},
    "audio.alexnet=broadcast": {"audio.alexnet": "broadcast"},
    "audio.alexnet=none": {"audio.alexnet": "none"},
    "cross.residual=add": {"cross.residual": "add"},
    "cross.residual=add-norm": {"cross.residual": "add-norm"},
    "label.query=frames": {"label.query": "frames"},
    "label.tables=per-modality": {"label.tables": "per-modality"},
    "label.reduce=per-label": {"label.reduce": "per-label"},
    "label.reduce=concat": {"label.reduce": "concat"},
    "gate=vector": {"gate": "vector"},
    "gate=equal": {"gate": "equal"},
    "classifier.width=24": {"classifier.width": 24},
    "classifier.dropout=0.4": {"classifier.dropout": 0.4},
    "apc.temperature=0.1": {"apc.temperature": 0.1, "loss.apc": 1},
    "apc.detach=p": {"apc.detach": "p", "loss.apc": 1},
    "apc.detach=q": {"apc.detach": "q", "loss.apc": 1},
    "apc.detach=labels": {"apc.detach": "labels", "loss.apc": 1},
    "apc.reduce=batch": {"apc.reduce": "batch"},
    "loss.ce=0.5": {"loss.ce": 0.5},
    "loss.apc=2": {"loss.apc": 2},
    "heads=8": {"heads": 8},
    "d=8": {"d": 8},
    "modality=text": {"modality": "text"},
    "modality=audio": {"modality": "audio"},
    # wide enough, for these lengths, that the head asks through probes instead of projecting all frames
    "d=24, heads=2": {"d": 24, "heads": 2},
    "d=24, heads=2, add-norm": {"d": 24, "heads": 2, "cross.residual": "add-norm"},
    "d=24, heads=2, per-label": {"d": 24, "heads": 2, "label.reduce": "per-label"},
    "d=24, heads=2, no-lsma-joo": {"d": 24, "heads": 2, "label.attention": False, "loss.apc": 0},
    "no-ma": {"ma.alpha": 0},
    "no-joo": {"loss.apc": 0},
    "no-lsma-joo": {"label.attention": False, "loss.apc": 0},
    # readings that meet: not every default elsewhere
    "frames, add, per-modality, vector": {"label.query": "frames", "cross.residual": "add", "label.tables": "per-modality", "gate": "vector"},
    "per-label, add-norm, linear, batch": {"label.reduce": "per-label", "cross.residual": "add-norm", "text.encoder": "linear", "apc.reduce": "batch"},
    "no-lsma-joo, add-norm": {"label.attention": False, "loss.apc": 0, "cross.residual": "add-norm"},
    "no-lsma-joo, audio": {"label.attention": False, "loss.apc": 0, "modality": "audio"},
    "no label attention": {"label.attention": False},
    "audio, concat, none": {"modality": "audio", "label.reduce": "concat", "audio.alexnet": "none"},
    "text, frames, linear": {"modality": "text", "label.query": "frames", "text.encoder": "linear"},
}
# cases that also train, and Eq. 9's settings where they are not the case's own
TRAINED = {
    "default": {},
    "no-ma": {},
    "no-joo": {},
    "no-lsma-joo": {},
    "modality=text": {},
    "modality=audio": {},
    "ma.every=step": {"ma.every": "step", "ma.alpha": 0.5},
    "ma.role=shadow": {"ma.role": "shadow", "ma.alpha": 0.5},
    "ma.moments=clear": {"ma.moments": "clear", "ma.alpha": 0.5},
    "ma.every=step, clear": {"ma.every": "step", "ma.moments": "clear", "ma.alpha": 0.9},
}

FIELDS = {
    "modality": "modality", "d": "d", "heads": "heads", "text.encoder": "encoder", "audio.alexnet": "alexnet",
    "cross.residual": "residual", "label.attention": "label_attention", "label.query": "query", "label.tables": "tables",
    "label.reduce": "reduce", "gate": "gate", "classifier.width": "width", "apc.temperature": "temperature",
    "apc.detach": "detach", "apc.reduce": "apc_reduce", "loss.ce": "ce", "loss.apc": "apc",
}  # fmt: skip


def stream(name: str, count: int) -> np.ndarray:
    """Values in [-1, 1) by a linear congruential generator, seeded with the FNV-1a hash of the name."""
    state = 0x811C9DC5
    for byte in name.encode():
        state = ((state ^ byte) * 0x01000193) & 0xFFFFFFFF
    out = np.empty(count)
    for i in range(-4, count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        if i >= 0:
            out[i] = (state >> 8) / 2**23 - 1
    return out


def drawn(name: str, shape, scale=1.0, offset=0.0) -> torch.Tensor:
    """A float32 draw, widened: both sides start from the same numbers."""
    values = (offset + scale * stream(name, math.prod(shape))).astype(np.float32)
    return torch.from_numpy(values).double().reshape(list(shape))


def linear(ours: str, layer: str) -> list[tuple]:
    return [(f"{ours}.w", [f"{layer}.weight"], "transpose"), (f"{ours}.b", [f"{layer}.bias"], "")]


def attention(ours: str, module: str) -> list[tuple]:
    """The key bias has no counterpart: softmax does not see it."""
    out = []
    for part in "qkvo":
        out.append((f"{ours}.w{part}", [f"{module}.{part}.weight"], "transpose"))
        if part != "k":
            out.append((f"{ours}.b{part}", [f"{module}.{part}.bias"], ""))
    return out


def counterparts(model: Lsgmer) -> list[tuple]:
    """(our name, the twin's tensors, how they become ours), in the order of our flat vector."""
    names = set(dict(model.named_parameters()))
    table = []
    lstm = "text.lstm."
    for ours, theirs, how in [("wx", "weight_ih_l0", "transpose"), ("wh", "weight_hh_l0", "transpose"), ("bih", "bias_ih_l0", ""), ("bhh", "bias_hh_l0", "")]:
        table.append((f"text.lstm.{ours}", [lstm + theirs, lstm + theirs + "_reverse"], how))
    table += linear("text.linear", "text.linear") + linear("audio.linear", "audio.linear") + linear("audio.map", "audio.map")
    for m in ("audio", "text"):
        table += attention(f"cross.{m}", f"cross.{m}")
        table += [(f"cross.{m}.norm.gain", [f"norm.{m}.weight"], ""), (f"cross.{m}.norm.bias", [f"norm.{m}.bias"], "")]
    table += [("label.table", ["labels.all"], ""), ("label.table.audio", ["labels.audio"], ""), ("label.table.text", ["labels.text"], "")]
    if len(model.names) == 1:  # one modality has one table, whatever it is called
        table += [("label.table", [f"labels.{model.names[0]}"], "")]
    for m in ("audio", "text"):
        table += attention(f"label.{m}", f"guide.{m}.attention") + linear(f"label.{m}.concat", f"guide.{m}.concat")
    table += linear("gate", "gate") + linear("classifier.hidden", "hidden") + linear("classifier.output", "output")
    return [row for row in table if all(name in names for name in row[1])]


def to_ours(tensors: list[torch.Tensor], how: str) -> torch.Tensor:
    parts = [t.T if how == "transpose" else t for t in tensors]
    return parts[0] if len(parts) == 1 else torch.stack(parts)


def from_ours(values: torch.Tensor, count: int, how: str) -> list[torch.Tensor]:
    parts = [values] if count == 1 else list(values)
    return [part.T if how == "transpose" else part for part in parts]


def spread(name: str, shape) -> tuple[float, float]:
    """Scale and offset of a parameter's values. Query and key projections are scaled up: sharp attention."""
    last = name.split(".")[-1]
    if last == "gain":
        return 0.25, 1.0
    if name.startswith("label.table"):
        return 1.5, 0.0
    if last.startswith("b"):
        return 0.25, 0.0
    scale = 1 / math.sqrt(shape[-2])
    gain = 6 if last in ("wq", "wk") else 4 if name.startswith("text.lstm") else 1 if "linear" in name or "concat" in name else 2
    return round(scale * gain, 4), 0.0


def make_batch() -> Batch:
    lengths = {name: torch.tensor(value) for name, value in LENGTHS.items()}
    audio, steps = TIMES["audio"], TIMES["map"]
    position = frame_positions(FRAMES, lengths["map"], audio["firstSeconds"], audio["stepSeconds"], steps["firstSeconds"], steps["stepSeconds"])
    feature = lambda name, length: drawn(f"batch.{name}", (ROWS, length, DIMS[name]), 2)
    return Batch(
        text=feature("text", TOKENS), text_lengths=lengths["text"],
        audio=feature("audio", FRAMES), audio_lengths=lengths["audio"],
        map=feature("map", STEPS), map_lengths=lengths["map"],
        map_position=position, target=torch.tensor(TARGET),
    )  # fmt: skip


def dropped(settings: dict) -> torch.Tensor | None:
    rate = settings.get("classifier.dropout", 0)
    if rate == 0:
        return None
    uniform = (drawn("batch.dropout", (ROWS, settings.get("classifier.width", D))) + 1) / 2
    return torch.where(uniform < rate, 0.0, float(np.float32(1 / (1 - rate)))).double()


def make_model(settings: dict, fold=False) -> Lsgmer:
    options = Options(**{"d": D, **{FIELDS[key]: value for key, value in settings.items() if key in FIELDS}})
    model = Lsgmer(options, DIMS["text"], DIMS["audio"], DIMS["map"], CLASSES, fold=fold).double()
    parameters = dict(model.named_parameters())
    for name, theirs, how in counterparts(model):
        shape = to_ours([parameters[t].data for t in theirs], how).shape
        values = drawn(name, shape, *spread(name, shape))
        for target, value in zip(theirs, from_ours(values, len(theirs), how)):
            parameters[target].data.copy_(value)
    covered = {t for row in counterparts(model) for t in row[1]}
    for name, parameter in parameters.items():
        if name not in covered:
            assert name.endswith("k.bias"), name
            parameter.data.copy_(drawn(name, parameter.shape, 0.5))
    return model


def compute(model: Lsgmer, batch: Batch, settings: dict):
    model.zero_grad()
    logits, fused = model(batch, dropped(settings))
    loss, ce, apc = model.objective(logits, fused, batch.target)
    loss.backward()
    return loss, ce, apc, logits


def flat(model: Lsgmer, which) -> np.ndarray:
    parameters = dict(model.named_parameters())
    return np.concatenate([to_ours([which(parameters[t]) for t in row[1]], row[2]).detach().reshape(-1).numpy() for row in counterparts(model)])


def check_twin(model: Lsgmer, batch: Batch, settings: dict, gradient: np.ndarray, logits: torch.Tensor) -> None:
    """What can be known of the twin itself: key biases get no gradient, folding changes nothing, np.interp agrees."""
    for name, parameter in model.named_parameters():
        if name.endswith("k.bias"):
            assert parameter.grad.abs().max() < 1e-12, name
    folded = make_model(settings, fold=True)
    *_, again = compute(folded, batch, settings)
    assert torch.allclose(again, logits, atol=1e-12, rtol=0), settings
    assert np.abs(flat(folded, lambda p: p.grad) - gradient).max() < 1e-12, settings
    if model.options.modality != "text" and model.options.alexnet == "time":
        projected = model.audio.map(batch.map).detach().numpy()
        got = model.audio.interpolate(torch.from_numpy(projected), batch.map_position).numpy()
        frames = TIMES["audio"]["firstSeconds"] + TIMES["audio"]["stepSeconds"] * np.arange(FRAMES)
        for row, steps in enumerate(LENGTHS["map"]):
            known = TIMES["map"]["firstSeconds"] + TIMES["map"]["stepSeconds"] * np.arange(steps)
            for j in range(projected.shape[2]):
                assert np.allclose(np.interp(frames, known, projected[row, :steps, j]), got[row, :, j], atol=1e-12)


def train(settings: dict, batch: Batch) -> tuple[list[float], Lsgmer, list[np.ndarray]]:
    """AdamW with Eq. 9; losses of all steps, the model, and the labels that evaluation sees after each epoch."""
    model = make_model(settings)
    t = TRAINING
    optimiser = torch.optim.AdamW(model.parameters(), lr=t["lr"], betas=(t["beta1"], t["beta2"]), eps=t["eps"], weight_decay=t["decay"])
    alpha, every, role = settings.get("ma.alpha", 0.99), settings.get("ma.every", "epoch"), settings.get("ma.role", "reset")
    tables = list(model.labels.values()) if hasattr(model, "labels") else []
    averages = [table.detach().clone() for table in tables]
    losses, seen = [], []
    for step in range(1, t["steps"] + 1):
        losses.append(compute(model, batch, settings)[0].item())
        optimiser.step()
        if every == "step" or step % t["epoch"] == 0:
            for table, average in zip(tables, averages):
                average.mul_(alpha).add_(table.detach(), alpha=1 - alpha)
                if role == "reset":
                    table.data.copy_(average)
                    if settings.get("ma.moments") == "clear":  # the step count, which all tensors share, goes on
                        optimiser.state[table]["exp_avg"].zero_()
                        optimiser.state[table]["exp_avg_sq"].zero_()
        if step % t["epoch"] == 0 and averages:
            seen.append(np.concatenate([a.reshape(-1).numpy() for a in averages]))
    return losses, model, seen


def main() -> None:
    batch = make_batch()
    tensors, cases = {}, []
    for name, settings in {**CASES, **{k: v for k, v in TRAINED.items() if k not in CASES}}.items():
        model = make_model(settings)
        entry = {"name": name, "config": {"d": D, **settings}}
        parameters = dict(model.named_parameters())
        rows = []
        for ours, theirs, how in counterparts(model):
            shape = list(to_ours([parameters[t].data for t in theirs], how).shape)
            rows.append([ours, shape, *spread(ours, shape)])
        entry["parameters"] = rows
        if name in CASES:
            loss, ce, apc, logits = compute(model, batch, settings)
            gradient = flat(model, lambda p: torch.zeros_like(p) if p.grad is None else p.grad)
            check_twin(model, batch, settings, gradient, logits)
            entry |= {"loss": loss.item(), "ce": ce.item(), "apc": apc.item(), "logits": logits.detach().reshape(-1).tolist()}
            tensors[f"{name}/gradient"] = gradient.astype(np.float32)
            smallest, at = min((np.abs(g.numpy()).max(), n) for n, g in ((r[0], to_ours([parameters[t].grad for t in r[1]], r[2])) for r in counterparts(model)) if g is not None)
            print(f"{name}: loss {loss.item():.4f} apc {apc.item():.4f}, smallest largest gradient {smallest:.1e} ({at})")
        if name in TRAINED:
            losses, trained, seen = train(settings, batch)
            entry["losses"] = losses
            tensors[f"{name}/final"] = flat(trained, lambda p: p.data).astype(np.float32)
            if seen and name not in CASES:
                tensors[f"{name}/averages"] = np.stack(seen).astype(np.float32)
            print(f"{name}: 20 steps {losses[0]:.4f} -> {losses[-1]:.4f}")
        cases.append(entry)
    about = {
        "rows": ROWS, "tokens": TOKENS, "frames": FRAMES, "steps": STEPS, "classes": CLASSES, "dims": DIMS,
        "lengths": LENGTHS, "times": TIMES, "target": TARGET, "training": TRAINING,
    }  # fmt: skip
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "lsgmer.json").write_text(f'{{"about":{json.dumps(about, separators=(",", ":"))},\n"cases":[\n{lines}\n]}}\n')
    save_file(tensors, HERE / "lsgmer.safetensors")
    (HERE / "lsgmer.safetensors").chmod(0o644)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
