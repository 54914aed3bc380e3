"""What pages are made with: Jinja's templates, and pictures inside the page."""

import base64

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(name: str) -> Template:
    """A page of `templates/`; what it names must be given, and text is escaped."""
    environment = Environment(
        loader=PackageLoader("gmixbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def embedded(png: bytes) -> str:
    """Address that holds a picture itself, so that the page is one file."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
