"""The model: two hidden layers over 64 pixels."""

import torch
from torch import nn

from .digits import CLASSES, LARGEST, PIXELS


class Network(nn.Module):
    """Pixels [rows, 64] from 0 to 16 to logits [rows, 10]."""

    def __init__(self, hidden: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(PIXELS, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, CLASSES)
        )

    def forward(self, pixels):
        return self.layers(pixels / LARGEST)


class Served(nn.Module):
    """The exported model: pixels [rows, 64] to the digit [rows] and the probability of each digit [rows, 10]."""

    def __init__(self, network: Network):
        super().__init__()
        self.network = network

    def forward(self, pixels):
        logits = self.network(pixels)
        return logits.argmax(dim=1), logits.softmax(dim=1)


def accuracy(network: nn.Module, pixels: torch.Tensor, digits: torch.Tensor) -> float:
    with torch.no_grad():
        return (network(pixels).argmax(dim=1) == digits).float().mean().item()
