"""Stock: how many there are of each article."""

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

RELEASE = "working copy"
STOCK = {"tea": 40, "cup": 7}


async def stock(_request):
    return JSONResponse({"stock": STOCK, "release": RELEASE})


app = Starlette(routes=[Route("/", stock)])
