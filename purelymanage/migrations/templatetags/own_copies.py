from __future__ import annotations

from django import template

from purelymanage.migrations.campaigns.own_copy import own_copy

register = template.Library()
register.filter("own_copy", own_copy)
