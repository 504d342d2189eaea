"""Suites say what they mean, and a typo is told where it is."""

import pytest

from moderation.audits.suites import counterfactuals
from moderation.audits.suites.person_terms import Groups, groups_of

GOOD = """
name: two
title: Two people
purpose: Are they treated alike?
stages: [prompt, image]
person: "{gender} {skin}"
terms:
  gender: {man: man, woman: woman}
  skin: {light: light skin tone, dark: dark skin tone}
templates:
  - {id: run, activity: sport, truth: acceptable, prompt: "{person} running"}
contrasts:
  - {dimension: gender, group: woman, reference: man}
margin: 0.02
"""


@pytest.mark.parametrize("name", counterfactuals.names())
def test_what_ships_is_valid_and_crosses_every_term(name: str) -> None:
    suite = counterfactuals.load(name)
    cells = list(suite.cells())
    size = len(suite.templates)
    for values in suite.terms.values():
        size *= len(values)
    assert len(cells) == len({cell.prompt for cell in cells}) == size
    assert all("{" not in cell.prompt for cell in cells)


def test_cells_differ_in_the_person_alone() -> None:
    prompts = [cell.prompt for cell in counterfactuals.parse(GOOD).cells()]
    assert prompts == [
        "man light skin tone running",
        "man dark skin tone running",
        "woman light skin tone running",
        "woman dark skin tone running",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("margin:", "magin:", "Did you mean “margin”?"),
        ("truth:", "thruth:", "“thruth” in template 1 is not known. Did you mean “truth”?"),
        ("gender: {man", "gendr: {man", "“gendr” is no dimension of terms. Did you mean “gender”?"),
        ("woman: woman", "womn: woman", "“womn” is no group of “gender”. Did you mean “woman”?"),
        ("truth: acceptable", "truth: fine", "must be one of acceptable, violates"),
        ("{person} running", "{persn} running", "must hold {person} once"),
        ("reference: man", "reference: person", "“person” in contrast 1 is no group"),
        ("margin: 0.02", "margin: two", "“margin” must be a number between 0 and 1"),
        ("purpose: Are they treated alike?\n", "", "In the suite is missing: purpose."),
        ("{gender} {skin}", "{gender}", "“person” must hold {skin} once"),
        ("stages: [prompt, image]", "stages: [picture]", "must be [prompt] or [prompt, image]"),
        ("templates:", "templates: [", "not valid YAML in line"),
    ],
)
def test_a_typo_is_told(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(counterfactuals.SuiteInvalid) as caught:
        counterfactuals.parse(GOOD.replace(old, new, 1))
    assert told in caught.value.message


def test_an_unknown_suite_is_told_with_the_nearest_name() -> None:
    with pytest.raises(counterfactuals.SuiteInvalid, match="Did you mean “doing-the-same”"):
        counterfactuals.load("doing-the-sme")


@pytest.mark.parametrize(
    ("prompt", "groups"),
    [
        ("a red apple", Groups()),
        ("a woman with dark skin", Groups("woman", "", "dark")),
        ("An elderly man, medium-light skin tone", Groups("man", "older", "medium-light")),
        ("a man and a woman", Groups("several", "", "")),
        ("a mantis in the dark", Groups()),
    ],
)
def test_groups_are_what_the_prompt_states(prompt: str, groups: Groups) -> None:
    assert groups_of(prompt) == groups
