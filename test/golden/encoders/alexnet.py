"""torchvision's alexnet `features` (torchvision/models/alexnet.py), written out in torch.nn since torchvision is not
needed for more, on seeded random weights: writes alexnet.json."""

import torch
from torch import nn

from seeded import digits, fill, tensor, write

CHANNELS = [8, 12, 16, 12, 10]
SEED = 7


class AlexNet(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, c[0], kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(c[0], c[1], kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(c[1], c[2], kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(c[2], c[3], kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(c[3], c[4], kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )

    def forward(self, picture):
        return self.features(picture)


model = fill(AlexNet(CHANNELS), SEED)
mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
sd = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def run(columns, batch):
    grey = tensor(SEED, f"picture.{columns}", [batch, 256, columns])
    picture = (grey[:, None].expand(-1, 3, -1, -1) - mean) / sd
    with torch.no_grad():
        features = model(picture)  # [B, C, 7, S]
    assert features.shape[2] == 7
    steps = features.permute(0, 3, 1, 2).flatten(2)  # [B, S, C * 7]
    return {"columns": columns, "batch": batch, "steps": steps.shape[1], "features": digits(steps)}


write("alexnet.json", {"channels": CHANNELS, "seed": SEED, "runs": [run(63, 1), run(94, 1), run(131, 2)]})
