"""LSGMER in PyTorch: the foreign reference for packages/train/src/head, and the peer of the benchmark.

Written from the paper's equations (arXiv 2504.05158) in PyTorch's own idiom: nn.LSTM on packed sequences,
scaled_dot_product_attention with key masks, gather and lerp for the map, kl_div for the Jensen-Shannon term.
`fold=True` folds the mean label attention by hand, as a patient PyTorch user would; everything else is equal.

Full size:

    batch = random_batch(rows=32, text=40, audio=200, map_steps=16)
    model = Lsgmer(Options(), text_dim=768, audio_dim=1024, map_dim=1792, classes=7)
    logits, fused = model(batch)
    loss, ce, apc = model.objective(logits, fused, batch.target)
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


@dataclass(frozen=True)
class Options:
    modality: str = "both"  # both | text | audio
    d: int = 256
    heads: int = 4
    encoder: str = "bilstm"  # bilstm | linear
    alexnet: str = "time"  # time | broadcast | none
    residual: str = "none"  # none | add | add-norm
    label_attention: bool = True
    query: str = "labels"  # labels | frames
    tables: str = "shared"  # shared | per-modality
    reduce: str = "mean"  # mean | per-label | concat
    gate: str = "scalar"  # scalar | vector | equal
    width: int = 0  # 0: d
    temperature: float = 1.0
    detach: str = "none"  # none | p | q | labels
    apc_reduce: str = "mean"  # mean | batch
    ce: float = 1.0
    apc: float = 0.05


@dataclass
class Batch:
    """Padded features and true lengths. Map steps are channel * 7 + row; positions are in map steps."""

    text: Tensor  # [B, n, Dt]
    text_lengths: Tensor  # [B]
    audio: Tensor  # [B, m, Da]
    audio_lengths: Tensor  # [B]
    map: Tensor  # [B, S, Dm]
    map_lengths: Tensor  # [B]
    map_position: Tensor  # [B, m]
    target: Tensor  # [B] class indices


def frame_positions(frames: int, steps: Tensor, audio_first: float, audio_step: float, map_first: float, map_step: float) -> Tensor:
    """Fractional map step of every frame's centre, held at each utterance's first and last step: [B, frames]."""
    seconds = audio_first + audio_step * torch.arange(frames, dtype=torch.float64)
    position = (seconds - map_first) / map_step
    return position.clamp(min=0).minimum((steps.double() - 1).unsqueeze(1))


def random_batch(rows=32, text=40, audio=200, map_steps=16, text_dim=768, audio_dim=1024, map_dim=1792, classes=7, ragged=False, seed=0) -> Batch:
    """A batch of normal values, all rows full length or with ragged lengths (the first row full)."""
    g = torch.Generator().manual_seed(seed)

    def lengths(full: int) -> Tensor:
        out = torch.full((rows,), full)
        if ragged:
            out[1:] = torch.randint(max(1, full // 2), full + 1, (rows - 1,), generator=g)
        return out

    map_lengths = lengths(map_steps)
    return Batch(
        text=torch.randn(rows, text, text_dim, generator=g),
        text_lengths=lengths(text),
        audio=torch.randn(rows, audio, audio_dim, generator=g),
        audio_lengths=lengths(audio),
        map=torch.randn(rows, map_steps, map_dim, generator=g),
        map_lengths=map_lengths,
        map_position=frame_positions(audio, map_lengths, 200 / 16000, 320 / 16000, 31.5 / 128, 32 / 128).float(),
        target=torch.randint(classes, (rows,), generator=g),
    )


def valid(lengths: Tensor, steps: int) -> Tensor:
    """True for real steps: [B, steps]."""
    return torch.arange(steps, device=lengths.device).unsqueeze(0) < lengths.unsqueeze(1)


def masked_mean(h: Tensor, real: Tensor) -> Tensor:
    """[B, L, d] -> [B, d]."""
    return h.masked_fill(~real.unsqueeze(-1), 0).sum(1) / real.sum(1, keepdim=True)


class MultiHeadAttention(nn.Module):
    def __init__(self, d: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def context(self, query: Tensor, memory: Tensor, real: Tensor | None = None) -> Tensor:
        """What the queries see, before the output projection; `real` [B, Lk] marks the keys that exist."""
        mask = None if real is None else real[:, None, None, :]
        seen = F.scaled_dot_product_attention(self.split(self.q(query)), self.split(self.k(memory)), self.split(self.v(memory)), attn_mask=mask)
        return seen.transpose(-3, -2).flatten(-2)

    def forward(self, query: Tensor, memory: Tensor, real: Tensor | None = None) -> Tensor:
        return self.o(self.context(query, memory, real))


class TextEncoder(nn.Module):
    """Eq. 1."""

    def __init__(self, options: Options, dim: int):
        super().__init__()
        if options.encoder == "bilstm":
            self.lstm = nn.LSTM(dim, options.d // 2, batch_first=True, bidirectional=True)
        else:
            self.linear = nn.Linear(dim, options.d)
        self.packed = options.encoder == "bilstm"

    def forward(self, text: Tensor, lengths: Tensor) -> Tensor:
        if not self.packed:
            return self.linear(text)
        packed = pack_padded_sequence(text, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=text.shape[1])[0]


class AudioEncoder(nn.Module):
    """Eq. 2."""

    def __init__(self, options: Options, dim: int, map_dim: int, fold: bool):
        super().__init__()
        self.kind, self.fold = options.alexnet, fold
        self.linear = nn.Linear(dim, options.d)
        if self.kind != "none":
            self.map = nn.Linear(map_dim if self.kind == "time" else map_dim // 7 * 36, options.d)

    def forward(self, batch: Batch) -> Tensor:
        h = self.linear(batch.audio)
        if self.kind == "time":
            return h + self.interpolate(self.map(batch.map), batch.map_position)
        if self.kind == "broadcast":
            pictures = [
                F.adaptive_avg_pool2d(rows[:steps].unflatten(-1, (-1, 7)).permute(1, 2, 0), 6).flatten()
                for rows, steps in zip(batch.map, batch.map_lengths.tolist())
            ]
            return h + self.map(torch.stack(pictures)).unsqueeze(1)
        return h

    def interpolate(self, steps: Tensor, position: Tensor) -> Tensor:
        """steps [B, S, d] read at fractional positions [B, m]."""
        if self.fold:  # the two neighbours' weights as a matrix
            distance = (position.unsqueeze(-1) - torch.arange(steps.shape[1], dtype=position.dtype, device=position.device)).abs()
            return (1 - distance).clamp(min=0) @ steps
        low = position.floor().long()
        high = (low + 1).clamp(max=steps.shape[1] - 1)
        read = lambda at: steps.gather(1, at.unsqueeze(-1).expand(-1, -1, steps.shape[-1]))
        return torch.lerp(read(low), read(high), (position - low).unsqueeze(-1))


class LabelAttention(nn.Module):
    """Eq. 5 to 8 for one modality."""

    def __init__(self, options: Options, classes: int):
        super().__init__()
        self.query, self.reduce = options.query, options.reduce
        self.attention = MultiHeadAttention(options.d, options.heads)
        if self.query == "labels" and self.reduce == "concat":
            self.concat = nn.Linear(classes * options.d, options.d)

    def forward(self, labels: Tensor, h0: Tensor, h1: Tensor, real: Tensor) -> Tensor:
        if self.query == "frames":
            h2 = self.attention(h1, labels.expand(len(h1), -1, -1))
            return masked_mean(torch.sigmoid(h2) * h0 + h2, real)
        h2 = self.attention(labels.expand(len(h1), -1, -1), h1, real)  # [B, N, d]
        if self.reduce == "per-label":
            each = [masked_mean(torch.sigmoid(row).unsqueeze(1) * h0 + row.unsqueeze(1), real) for row in h2.unbind(1)]
            return torch.stack(each).mean(0)
        h2 = self.concat(h2.flatten(1)) if self.reduce == "concat" else h2.mean(1)
        return self.gate(h2, h0, real)

    @staticmethod
    def gate(h2: Tensor, h0: Tensor, real: Tensor) -> Tensor:
        return torch.sigmoid(h2) * masked_mean(h0, real) + h2

    def folded(self, labels: Tensor, h0: Tensor, context: Tensor, cross: nn.Linear | None, real: Tensor) -> Tensor:
        """Mean over labels, with H_1 = cross(context) never formed: the same numbers, far fewer of them."""
        a, heads = self.attention, self.attention.heads
        rows, steps, d = context.shape
        width = d // heads
        q = (a.q(labels) * width**-0.5).view(-1, heads, width).transpose(0, 1)  # [H, N, d/H]
        probe = (q @ a.k.weight.view(heads, width, d)).flatten(0, 1)  # [H N, d]
        if cross is not None:
            probe = probe @ cross.weight
        scores = (context @ probe.T).transpose(1, 2).masked_fill(~real.unsqueeze(1), float("-inf"))  # [B, H N, L]
        weights = scores.softmax(-1).view(rows, heads, -1, steps).mean(2)  # [B, H, L]
        seen = weights @ context  # [B, H, d]
        if cross is not None:
            seen = cross(seen)
        values = seen.transpose(0, 1) @ a.v.weight.view(heads, width, d).transpose(1, 2)  # [H, B, d/H]
        return self.gate(a.o(values.transpose(0, 1).flatten(1) + a.v.bias), h0, real)


class Lsgmer(nn.Module):
    def __init__(self, options: Options, text_dim: int, audio_dim: int, map_dim: int, classes: int, fold: bool = False):
        super().__init__()
        self.options, d = options, options.d
        self.fold = fold and options.label_attention and options.query == "labels" and options.reduce == "mean" and options.residual == "none"
        both = options.modality == "both"
        self.names = ["audio", "text"] if both else [options.modality]
        if "text" in self.names:
            self.text = TextEncoder(options, text_dim)
        if "audio" in self.names:
            self.audio = AudioEncoder(options, audio_dim, map_dim, fold)
        if both:
            self.cross = nn.ModuleDict({name: MultiHeadAttention(d, options.heads) for name in self.names})
            if options.residual == "add-norm":
                self.norm = nn.ModuleDict({name: nn.LayerNorm(d) for name in self.names})
            if options.gate != "equal":
                self.gate = nn.Linear(2 * d, 2 if options.gate == "scalar" else 2 * d)
        if options.label_attention or options.apc > 0:
            tables = self.names if options.tables == "per-modality" else ["all"]
            self.labels = nn.ParameterDict({name: nn.Parameter(torch.randn(classes, d)) for name in tables})
        if options.label_attention:
            self.guide = nn.ModuleDict({name: LabelAttention(options, classes) for name in self.names})
        self.hidden = nn.Linear(d, options.width or d)
        self.output = nn.Linear(options.width or d, classes)

    def table(self, name: str) -> Tensor:
        return self.labels[name if name in self.labels else "all"]

    def forward(self, batch: Batch, dropped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits [B, N] and H_fused [B, d]; `dropped` [B, width] multiplies the classifier's hidden units."""
        h0, real = {}, {}
        if "text" in self.names:
            h0["text"], real["text"] = self.text(batch.text, batch.text_lengths), valid(batch.text_lengths, batch.text.shape[1])
        if "audio" in self.names:
            h0["audio"], real["audio"] = self.audio(batch), valid(batch.audio_lengths, batch.audio.shape[1])
        h = [self.guided(name, h0, real) for name in self.names]
        fused = h[0] if len(h) == 1 else self.fuse(*h)
        hidden = F.relu(self.hidden(fused))
        return self.output(hidden if dropped is None else hidden * dropped), fused

    def guided(self, name: str, h0: dict[str, Tensor], real: dict[str, Tensor]) -> Tensor:
        """Eq. 3 to 8 for one modality: [B, d]."""
        own = h0[name]
        if len(self.names) == 1:
            if self.fold:
                return self.guide[name].folded(self.table(name), own, own, None, real[name])
            h1 = own
        else:
            other = "text" if name == "audio" else "audio"
            cross = self.cross[name]
            if self.fold:
                context = cross.context(own, h0[other], real[other])
                return self.guide[name].folded(self.table(name), own, context, cross.o, real[name])
            h1 = cross(own, h0[other], real[other])
            if self.options.residual != "none":
                h1 = own + h1
            if self.options.residual == "add-norm":
                h1 = self.norm[name](h1)
        if not self.options.label_attention:
            return masked_mean(h1, real[name])
        return self.guide[name](self.table(name), own, h1, real[name])

    def fuse(self, audio: Tensor, text: Tensor) -> Tensor:
        """Eq. 10, 11."""
        if self.options.gate == "equal":
            return (audio + text) / 2
        scores = self.gate(torch.cat([audio, text], -1)).unflatten(-1, (2, -1))  # [B, 2, 1 or d]
        return (scores.softmax(1) * torch.stack([audio, text], 1)).sum(1)

    def objective(self, logits: Tensor, fused: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Eq. 14 to 19: loss, cross entropy, APC."""
        options = self.options
        ce = F.cross_entropy(logits, target)
        if options.apc == 0:
            return options.ce * ce, ce, torch.zeros_like(ce)
        labels = torch.stack(list(self.labels.values())).mean(0)
        if options.detach == "labels":
            labels = labels.detach()
        p = logits.softmax(-1)
        q = (F.cosine_similarity(fused.unsqueeze(1), labels.unsqueeze(0), dim=-1) / options.temperature).softmax(-1)
        p = p.detach() if options.detach == "p" else p
        q = q.detach() if options.detach == "q" else q
        middle = ((p + q) / 2).log()
        total = (F.kl_div(middle, p, reduction="sum") + F.kl_div(middle, q, reduction="sum")) / 2
        apc = total / (logits.numel() if options.apc_reduce == "mean" else len(logits))
        return options.ce * ce + options.apc * apc, ce, apc
