"""Base images: find them, get them, stand in for them."""

from bench.bases.recipe import Recipe, default_recipe, load_recipe, load_recipes, recipe_names
from bench.bases.resolve import ResolvedBase, Wish, resolve_base
from bench.bases.standins import (
    StandIn,
    copy_standin,
    ensure_standin,
    ensure_standins,
    find_standin,
    remove_standins,
)

__all__ = [
    "Recipe",
    "ResolvedBase",
    "StandIn",
    "Wish",
    "copy_standin",
    "default_recipe",
    "ensure_standin",
    "ensure_standins",
    "find_standin",
    "load_recipe",
    "load_recipes",
    "recipe_names",
    "remove_standins",
    "resolve_base",
]
