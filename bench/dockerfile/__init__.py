"""Dockerfiles as data: parsing, stages, what each instruction refers to, rewriting by line."""

from bench.dockerfile.environment import StageState, global_variables
from bench.dockerfile.expansion import expand
from bench.dockerfile.model import GLOBAL_STAGE_INDEX, Dockerfile, Instruction, Stage, copy_sources
from bench.dockerfile.mounts import has_cache_mounts, rename_cache_mounts
from bench.dockerfile.parsing import KEYWORDS, parse
from bench.dockerfile.rewriting import (
    ImageUse,
    external_images,
    matches,
    reorder,
    replace_images,
)

__all__ = [
    "GLOBAL_STAGE_INDEX",
    "KEYWORDS",
    "Dockerfile",
    "ImageUse",
    "Instruction",
    "Stage",
    "StageState",
    "copy_sources",
    "expand",
    "external_images",
    "global_variables",
    "has_cache_mounts",
    "matches",
    "parse",
    "rename_cache_mounts",
    "reorder",
    "replace_images",
]
