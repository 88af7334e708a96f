"""The routes of a model's page: the page itself, what is known of the model, and answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, Router

from netwright import web
from netwright.errors import NetwrightError
from netwright.figures.frame import style_sheet
from netwright.figures.marks import clean
from netwright.model_file import Model, zoo
from netwright.model_file.model import Cell
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder
from netwright.serve import answer

Asked = Callable[[Request], Awaitable[Response]]


def serve(run_or_model: Path, place: web.Place, *, ready: Callable[[str], None], note: Callable[[str], None]) -> None:
    """A page on which a model answers what it is given, until Ctrl-C.

    Args:
        run_or_model: Folder of a run, a model file, or a name of the zoo.
        place: Where it is asked.
        ready: Is told the address.
        note: Is told what is to be known about the model and the address.

    Raises:
        SpecError: No such model, or one that does not answer single examples.
        ModelFileError: The file cannot be trusted or read.
        ResourceError: No port is free.
    """
    model = load_model(run_or_model)
    answer.check(model)
    for said in model.notes:
        note(said)
    found = zoo.find(run_or_model)
    file = RunFolder(found).model if found.is_dir() else found
    examples = answer.kept(file, model) if file.exists() else []
    title = found.resolve().name if found.is_dir() else found.stem
    web.listen(application(model, title, examples), place, ready, note)


def application(model: Model, title: str, examples: Sequence[Mapping[str, Cell]]) -> Router:
    """The page and its answers, without a guard.

    Args:
        model: Answers.
        title: What it is called.
        examples: Cells of real examples, which the page offers.
    """
    known = answer.facts(model, title, examples)
    turn = asyncio.Lock()  # one example at a time: a network uses all cores

    async def facts(_: Request) -> Response:
        return JSONResponse(known)

    async def answered(request: Request) -> Response:
        try:
            sent = json.loads(await request.body())
        except (ValueError, RecursionError):
            return _refused(400, "this is no JSON.", "Send an object with a value for each input.")
        try:
            async with turn:
                return JSONResponse(await asyncio.to_thread(answer.answer, model, sent))
        except NetwrightError as exc:
            return _refused(422, exc.message, exc.cure)

    return Router(
        routes=[
            Route("/", _file("serve.html", HTMLResponse)),
            Route("/serve.js", _file("serve.js", lambda text: Response(text, media_type="text/javascript"))),
            Route("/serve.css", _sheet),
            Route("/model", facts),
            Route("/answer", answered, methods=["POST"]),
        ]
    )


def _file(name: str, made: Callable[[str], Response]) -> Asked:
    text = (resources.files("netwright") / "serve" / name).read_text("utf-8")

    async def given(_: Request) -> Response:
        return made(text)

    return given


async def _sheet(_: Request) -> Response:
    return Response(style_sheet("serve/serve.css"), media_type="text/css")


def _refused(status: int, message: str, cure: str) -> Response:
    return JSONResponse({"error": clean(message), "try": clean(cure)}, status)
