"""`{{ text|moment }}`: a time that is told as text, as a person reads it."""

from django import template

from provenance.verify.judgements import told

register = template.Library()
register.filter("moment", told)
