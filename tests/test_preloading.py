from __future__ import annotations

from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.template.loaders.cached import Loader

from purelymanage import preloading


def test_nobody_waits_for_a_template_to_be_read() -> None:
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)
    (loader,) = engine.engine.template_loaders
    assert isinstance(loader, Loader)
    preloading.load_views_and_templates()
    kept = set(loader.get_template_cache)
    files = [it for it in preloading.TEMPLATES.rglob("*") if it.is_file()]
    assert kept >= {str(it.relative_to(preloading.TEMPLATES)) for it in files}
