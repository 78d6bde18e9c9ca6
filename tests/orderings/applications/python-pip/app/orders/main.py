"""Orders: a small web service."""

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from orders.totals import total

RELEASE = "working copy"
ORDERS = {"1001": [("tea", 2, 350), ("cup", 1, 900)]}


async def health(_request):
    return JSONResponse({"status": "ok", "release": RELEASE})


async def order(request):
    lines = ORDERS.get(request.path_params["number"])
    if lines is None:
        return JSONResponse({"error": "no such order"}, status_code=404)
    return JSONResponse({"lines": lines, "total": total(lines)})


app = Starlette(routes=[Route("/health", health), Route("/orders/{number}", order)])
