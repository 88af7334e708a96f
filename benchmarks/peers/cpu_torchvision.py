"""Import before anything that imports torchvision, whose compiled operators are missing beside torch for the CPU.

None of them is needed by the peers, but two are asked for when it is imported.
"""

import torch

LIBRARY = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
