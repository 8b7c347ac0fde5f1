"""Speed of O-Net's inference against the O-Net of facenet-pytorch, on the same crops.

Usage: python benchmarks/onet.py [--crops 256] [--threads 1] [--precision float32]

facenet-pytorch is installed into a temporary folder, without its dependencies: its package pins old
versions of what this project uses. Its O-Net takes three channels, so it gets the
grey crop three times. Both run in one process, in turns, without gradients; ours computes face, box
and landmarks as theirs does.
"""

import argparse
import importlib
import subprocess
import sys
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory
from types import ModuleType

import torch
from torch import nn

from thermalign.landmarks import mtcnn
from thermalign.training.precision import set_precision


def theirs(folder: str) -> nn.Module:
    """Return the other O-Net, untrained. Its detection needs torchvision and PIL; O-Net does not.

    Empty modules stand in for what its package imports and O-Net never calls.
    """
    for name, attributes in {
        "torchvision": [],
        "torchvision.transforms": ["functional"],
        "torchvision.ops": [],
        "torchvision.ops.boxes": ["batched_nms"],
        "PIL": ["Image"],
    }.items():
        stub = ModuleType(name)
        for attribute in attributes:
            setattr(stub, attribute, None)
        sys.modules.setdefault(name, stub)
    package = ModuleType("facenet_pytorch")  # its __init__ imports more than the detector
    package.__path__ = [f"{folder}/facenet_pytorch"]
    models = ModuleType("facenet_pytorch.models")
    models.__path__ = [f"{folder}/facenet_pytorch/models"]
    sys.modules |= {"facenet_pytorch": package, "facenet_pytorch.models": models}
    module = importlib.import_module("facenet_pytorch.models.mtcnn")
    network: nn.Module = module.ONet(pretrained=False)
    return network.eval()


def once(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="O-Net against facenet-pytorch's")
    parser.add_argument("--crops", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
        subprocess.run([*pip, "facenet-pytorch==2.6.0"], check=True)
        other = theirs(folder)
    ours = mtcnn.ONet(mtcnn.Settings().width).eval()
    set_precision(ours, args.precision)
    crops = torch.randn(args.crops, 1, 48, 48)
    colour = crops.expand(-1, 3, -1, -1).contiguous()
    with torch.inference_mode():
        runs = {"ours": lambda: ours(crops), "facenet-pytorch": lambda: other(colour)}
        best = {name: min(once(run) for _ in range(3)) for name, run in runs.items()}
        for _ in range(args.repeats):
            best = {name: min(best[name], once(run)) for name, run in runs.items()}
    for name, seconds in best.items():
        print(f"{name}: {args.crops / seconds:.0f} crops/s")
    ratio = best["facenet-pytorch"] / best["ours"]
    print(f"onet, {args.precision}, {args.threads} thread(s): {ratio:.2f} x vs facenet-pytorch")


if __name__ == "__main__":
    main()
