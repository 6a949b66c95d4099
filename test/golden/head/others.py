"""The heads beside LSGMER in PyTorch: text-only, audio-only, concat, cross, le-mer. Writes others.json and others.safetensors.

    python test/golden/head/others.py

Batch, weights and encoders are those of write.py and twin.py. LE-MER is written from the reading in docs/decisions.md in
PyTorch's own idiom (cosine_similarity, masked_fill, per-label loops where that is plainest), in float64. For every case the
JSON holds configuration, parameters, loss and logits; the safetensors file `<case>/gradient` and, for analysis,
`<case>/attention.<modality>`, `<case>/cross.<modality>`, `<case>/gate`, `<case>/fused`.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch import Tensor, nn

import twin
from write import CLASSES, DIMS, attention, drawn, from_ours, linear, make_batch, spread, to_ours

HERE = Path(__file__).parent
ROWS = 5
# head -> name of a case -> settings; every case has d = 8 and, where the head has it, heads = 2
CASES = {
    "text-only": {"default": {}, "linear": {"text.encoder": "linear"}, "width": {"classifier.width": 12}, "dropout": {"classifier.dropout": 0.4}, "focal": {"loss.focal": 2}},
    "audio-only": {
        "default": {}, "broadcast": {"audio.alexnet": "broadcast"}, "none": {"audio.alexnet": "none"}, "width": {"classifier.width": 12},
        "dropout": {"classifier.dropout": 0.4}, "focal": {"loss.focal": 0.5},
    },
    "concat": {
        "default": {}, "linear, none": {"text.encoder": "linear", "audio.alexnet": "none"}, "broadcast": {"audio.alexnet": "broadcast"},
        "width, dropout, focal": {"classifier.width": 12, "classifier.dropout": 0.4, "loss.focal": 2},
    },
    "cross": {
        "default": {}, "residual none": {"cross.residual": "none"}, "residual add": {"cross.residual": "add"}, "gate": {"fusion": "gate"},
        "heads 4": {"heads": 4}, "gate, none, linear": {"fusion": "gate", "cross.residual": "none", "text.encoder": "linear"},
        "probes": {"d": 24, "cross.residual": "none"}, "broadcast": {"audio.alexnet": "broadcast"},
        "no map": {"audio.alexnet": "none"}, "width, dropout, focal": {"classifier.width": 12, "classifier.dropout": 0.4, "loss.focal": 2},
    },
    "le-mer": {
        "default": {}, "shared": {"label.tables": "shared"}, "dot": {"label.similarity": "dot", "label.temperature": 1},
        "temperature": {"label.temperature": 0.5}, "equal": {"fusion": "equal"}, "concat": {"label.pool": "concat"},
        "shared, dot, concat": {"label.tables": "shared", "label.similarity": "dot", "label.pool": "concat"},
        "linear, broadcast": {"text.encoder": "linear", "audio.alexnet": "broadcast"}, "no map": {"audio.alexnet": "none"},
        "width, dropout, focal": {"classifier.width": 12, "classifier.dropout": 0.4, "loss.focal": 2},
    },
}  # fmt: skip


class Other(nn.Module):
    """Encoders, something in between, the two-layer classifier; `extra` collects what analysis shows."""

    def __init__(self, head: str, settings: dict):
        super().__init__()
        self.head, self.settings = head, settings
        get = settings.get
        d = self.d = get("d", 8)
        self.extra: dict[str, Tensor] = {}
        encoders = twin.Options(d=d, encoder=get("text.encoder", "bilstm"), alexnet=get("audio.alexnet", "time"))
        if head != "audio-only":
            self.text = twin.TextEncoder(encoders, DIMS["text"])
        if head != "text-only":
            self.audio = twin.AudioEncoder(encoders, DIMS["audio"], DIMS["map"], fold=False)
        fused = {"concat": 2 * d, "cross": d if get("fusion") == "gate" else 2 * d}.get(head, d)
        if head == "cross":
            self.cross = nn.ModuleDict({m: twin.MultiHeadAttention(d, get("heads", 2)) for m in ("audio", "text")})
            if get("cross.residual", "add-norm") == "add-norm":
                self.norm = nn.ModuleDict({m: nn.LayerNorm(d) for m in ("audio", "text")})
            if get("fusion") == "gate":
                self.gate = nn.Linear(2 * d, 2)
        if head == "le-mer":
            tables = ["all"] if get("label.tables") == "shared" else ["audio", "text"]
            self.labels = nn.ParameterDict({t: nn.Parameter(torch.zeros(CLASSES, d)) for t in tables})
            if get("label.similarity") == "dot":
                self.ask = nn.ModuleDict({m: nn.Linear(d, d, bias=False) for m in ("audio", "text")})
                self.answer = nn.ModuleDict({m: nn.Linear(d, d, bias=False) for m in ("audio", "text")})
            if get("fusion") != "equal":
                self.fusion = nn.ModuleDict({"label": nn.Linear(d, d), "seen": nn.Linear(d, d, bias=False), "score": nn.Linear(d, 1, bias=False)})
            fused = CLASSES * d if get("label.pool") == "concat" else d
        width = get("classifier.width", d)
        self.hidden, self.output = nn.Linear(fused, width), nn.Linear(width, CLASSES)

    def forward(self, batch: twin.Batch, dropped: Tensor | None) -> Tensor:
        h, real = {}, {}
        if hasattr(self, "audio"):
            h["audio"], real["audio"] = self.audio(batch), twin.valid(batch.audio_lengths, batch.audio.shape[1])
        if hasattr(self, "text"):
            h["text"], real["text"] = self.text(batch.text, batch.text_lengths), twin.valid(batch.text_lengths, batch.text.shape[1])
        if self.head == "le-mer":
            fused = self.labels_look(h, real)
        else:
            if self.head == "cross":
                h = {m: self.crossed(m, h, real) for m in h}
            means = [twin.masked_mean(h[m], real[m]) for m in h]
            fused = torch.cat(means, -1)
            if hasattr(self, "gate"):
                g = self.gate(fused).softmax(-1)
                fused = g[:, :1] * means[0] + g[:, 1:] * means[1]
                self.extra["gate"] = g
        self.extra["fused"] = fused
        hidden = F.relu(self.hidden(fused))
        return self.output(hidden if dropped is None else hidden * dropped)

    def crossed(self, own: str, h: dict, real: dict) -> Tensor:
        other = "text" if own == "audio" else "audio"
        a, residual = self.cross[own], self.settings.get("cross.residual", "add-norm")
        scores = a.split(a.q(h[own])) @ a.split(a.k(h[other])).transpose(-1, -2) / (self.d // a.heads) ** 0.5
        weights = scores.masked_fill(~real[other][:, None, None, :], float("-inf")).softmax(-1)
        asks = real[own].double() / real[own].sum(1, keepdim=True)
        self.extra[f"cross.{other}"] = torch.einsum("bq,bhqk->bk", asks, weights) / a.heads
        h1 = a(h[own], h[other], real[other])
        if residual != "none":
            h1 = h[own] + h1
        return self.norm[own](h1) if residual == "add-norm" else h1

    def labels_look(self, h: dict, real: dict) -> Tensor:
        get, seen, tables = self.settings.get, {}, {}
        for m in ("audio", "text"):
            table = tables[m] = self.labels[m if m in self.labels else "all"]
            if get("label.similarity") == "dot":
                compare = self.ask[m](table) @ self.answer[m](h[m]).transpose(1, 2) / self.d**0.5
            else:
                compare = F.cosine_similarity(table[None, :, None, :], h[m][:, None, :, :], dim=-1)  # [B, N, L]
            scores = compare / get("label.temperature", 0.1)
            weights = scores.masked_fill(~real[m].unsqueeze(1), float("-inf")).softmax(-1)
            self.extra[f"attention.{m}"] = weights
            seen[m] = weights @ h[m]
        if get("fusion") == "equal":
            each = (seen["audio"] + seen["text"]) / 2
        else:
            f = self.fusion
            scores = torch.stack([f["score"](torch.tanh(f["seen"](seen[m]) + f["label"](tables[m]))).squeeze(-1) for m in ("audio", "text")], -1)
            g = scores.softmax(-1)  # [B, N, 2]
            self.extra["gate"] = g.mean(1)
            each = g[..., :1] * seen["audio"] + g[..., 1:] * seen["text"]
        return each.flatten(1) if get("label.pool") == "concat" else each.mean(1)


def counterparts(model: Other) -> list[tuple]:
    names, t, table = set(dict(model.named_parameters())), "transpose", []
    for ours, theirs, how in [("wx", "weight_ih_l0", t), ("wh", "weight_hh_l0", t), ("bih", "bias_ih_l0", ""), ("bhh", "bias_hh_l0", "")]:
        table.append((f"text.lstm.{ours}", [f"text.lstm.{theirs}", f"text.lstm.{theirs}_reverse"], how))
    table += linear("text.linear", "text.linear") + linear("audio.linear", "audio.linear") + linear("audio.map", "audio.map")
    for m in ("audio", "text"):
        table += attention(f"cross.{m}", f"cross.{m}")
        table += [(f"cross.{m}.norm.gain", [f"norm.{m}.weight"], ""), (f"cross.{m}.norm.bias", [f"norm.{m}.bias"], "")]
    table += [("label.table", ["labels.all"], ""), ("label.table.audio", ["labels.audio"], ""), ("label.table.text", ["labels.text"], "")]
    for m in ("audio", "text"):
        table += [(f"label.{m}.wq", [f"ask.{m}.weight"], t), (f"label.{m}.wk", [f"answer.{m}.weight"], t)]
    table += linear("fusion.label", "fusion.label") + [("fusion.seen.w", ["fusion.seen.weight"], t), ("fusion.score.w", ["fusion.score.weight"], t)]
    table += linear("gate", "gate") + linear("classifier.hidden", "hidden") + linear("classifier.output", "output")
    return [row for row in table if all(name in names for name in row[1])]


def main() -> None:
    batch, tensors, cases = make_batch(), {}, []
    for head, settings_of in CASES.items():
        for title, settings in settings_of.items():
            name = f"{head}: {title}"
            config = {"d": 8, **({"heads": 2} if head == "cross" else {}), **settings}
            model = Other(head, settings).double()
            parameters, rows = dict(model.named_parameters()), []
            for ours, theirs, how in counterparts(model):
                shape = list(to_ours([parameters[x].data for x in theirs], how).shape)
                rows.append([ours, shape, *spread(ours, shape)])
                for target, value in zip(theirs, from_ours(drawn(ours, shape, *rows[-1][2:]), len(theirs), how)):
                    parameters[target].data.copy_(value)
            uncovered = set(parameters) - {x for row in counterparts(model) for x in row[1]}
            assert all(x.endswith("k.bias") for x in uncovered), uncovered
            rate, width = settings.get("classifier.dropout", 0), settings.get("classifier.width", 8)
            uniform = (drawn("batch.dropout", (ROWS, width)) + 1) / 2
            dropped = torch.where(uniform < rate, 0.0, float(np.float32(1 / (1 - rate)))).double() if rate else None
            gamma = settings.get("loss.focal", 0)
            p = model(batch, dropped).softmax(-1)[torch.arange(ROWS), batch.target]  # of the true class
            loss = (-((1 - p) ** gamma) * p.log()).mean()
            loss.backward()
            zero = lambda p: torch.zeros_like(p) if p.grad is None else p.grad
            parts = [to_ours([zero(parameters[x]) for x in row[1]], row[2]).reshape(-1) for row in counterparts(model)]
            tensors[f"{name}/gradient"] = torch.cat(parts).detach().float().numpy()
            logits = model(batch, dropped)
            tensors |= {f"{name}/{key}": v.detach().float().contiguous().numpy() for key, v in model.extra.items()}
            cases.append({"name": name, "head": head, "config": config, "parameters": rows, "loss": loss.item(), "logits": logits.detach().reshape(-1).tolist()})
            print(f"{name}: loss {loss.item():.4f}, smallest largest gradient {min(p.abs().max().item() for p in parts):.1e}")
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "others.json").write_text(f"[\n{lines}\n]\n")
    save_file(tensors, HERE / "others.safetensors")
    (HERE / "others.safetensors").chmod(0o644)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
