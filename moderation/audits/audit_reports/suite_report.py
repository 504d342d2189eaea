"""The report of a finished run of a suite."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User

from config.core.errors import ProofsheetError
from moderation.audits.audit_reports import freeze
from moderation.audits.models import Audit, AuditRender, AuditRun
from moderation.audits.sampling import frame
from moderation.audits.suites import counterfactuals
from moderation.audits.suites.person_terms import DIMENSIONS, title
from moderation.audits.tables import audit_report as reports
from moderation.audits.tables import contrasts, findings, group_tables, suite_results
from moderation.audits.tables.audit_report import AuditReport, Lines
from moderation.audits.tables.suite_results import Outcomes
from moderation.policy.rulebook import policy_document


class RunUnfinished(ProofsheetError):
    """A report was asked for before every unit of the run was answered."""

    default_code = "audit_run_unfinished"
    default_message = "Not all pictures of this run are rendered yet."
    default_advice = "Run the same command again: it goes on where it stopped."
    default_status = 409


LIMITATIONS = (
    "Groups are words in prompts. What the model draws for them is not checked, and nothing is "
    "inferred about any real person.",
    "What is acceptable follows from the template, not from a look at each picture.",
    "A suite shows what happens to its own prompts; how often people write such prompts, and the "
    "rates on real traffic, only the audit of labelled traffic shows.",
    "Seeds of one template share what the template does; figures by template allow for that, at "
    "the price of wide intervals where there are few templates.",
)


def make(
    run: AuditRun, *, at: datetime, by: User | None = None, is_scheduled: bool = False
) -> Audit:
    """Assemble, freeze and log the report of a finished run. Raises RunUnfinished."""
    scope = f"suite:{run.suite}:{run.model_slug}:{run.profile}"
    before = _before(run, scope=scope)
    made = assemble(run, before=before, responsible=by.get_username() if by else "")
    return freeze.keep(made, scope=scope, at=at, by=by, run=run, is_scheduled=is_scheduled)


def _before(run: AuditRun, *, scope: str) -> Audit | None:
    """The first report of the latest run before this one: the same whenever it is asked."""
    earlier = Audit.objects.filter(scope=scope, run__started_at__lt=run.started_at)
    return earlier.order_by("-run__started_at", "made_at").first()


def assemble(run: AuditRun, *, before: Audit | None = None, responsible: str = "") -> AuditReport:
    """The report; the same rows give the same report. Raises RunUnfinished."""
    renders = list(run.renders.order_by("place"))
    if not renders or any(render.rendered_at is None for render in renders):
        raise RunUnfinished
    suite = counterfactuals.parse(_text(run))
    stages = [_prompt_stage(run, renders)]
    if "image" in suite.stages:
        stages.append(_stage("image", run, renders))
    paired = suite_results.paired_contrasts(stages, suite)
    primary, verdicts = contrasts.primary(paired, margin=suite.margin)
    rates = group_tables.rates_table(stages)
    scores, scores_forest = contrasts.scores_table(paired)
    last = reports.decode(before.document).table("primary") if before else None
    drift = findings.of_drift(last, verdicts, by="stage", margin=suite.margin)
    said = [*drift, *findings.of_contrasts(verdicts, margin=suite.margin)]
    said += findings.of_scores(scores.rows)
    return AuditReport(
        title=f"{suite.title}: {run.model_name if 'image' in suite.stages else 'prompt screening'}",
        kind="counterfactual",
        purpose=suite.purpose,
        period=_period(run, suite),
        population=_population(suite, renders),
        sampling="Every prompt of the suite, with the same seeds for every person in it.",
        identity=(*_identity(run, suite), freeze.compared(before)),
        groups=tuple(
            (dimension, ", ".join(title(group) for group in terms))
            for dimension, terms in suite.terms.items()
        ),
        tables=(
            primary,
            rates,
            scores,
            contrasts.exploration(paired),
            group_tables.yardsticks_table(stages),
        ),
        forests=(*group_tables.forests(primary, rates), scores_forest),
        lines=tuple(_distribution(stage) for stage in stages),
        findings=tuple(said),
        limitations=LIMITATIONS,
        responsible=responsible or "Not named",
    )


def _population(suite: counterfactuals.Suite, renders: list[AuditRender]) -> str:
    pictures = f"{len(renders)} pictures of" if "image" in suite.stages else "No pictures;"
    prompts = len({render.prompt for render in renders})
    return (
        f"{pictures} {prompts} prompts from {len(suite.templates)} templates; "
        "no users' prompts and no users' pictures."
    )


def _period(run: AuditRun, suite: counterfactuals.Suite) -> str:
    if "image" not in suite.stages:
        return "Run once"
    return f"Run once, {run.seeds} seed{'' if run.seeds == 1 else 's'} a prompt"


def _text(run: AuditRun) -> str:
    return json.dumps(run.document)


def _identity(run: AuditRun, suite: counterfactuals.Suite) -> tuple[tuple[str, str], ...]:
    active = policy_document.load(run.policy_version)
    found = [
        ("Suite", f"{suite.name}, SHA-256 {run.suite_sha256}"),
        ("Policy", f"{run.policy_version}, SHA-256 {run.policy_sha256}"),
        ("Audience profile", run.profile),
        ("Prompt classifier", run.prompt_classifier),
    ]
    if "image" in suite.stages:
        found += [
            ("Image classifier", run.image_classifier),
            ("Model", f"{run.model_slug}, digest {run.model_digest}"),
            ("Rendering", f"{run.steps} steps, guidance {run.guidance:g}"),
        ]
    for stage in suite.stages:
        holds = ", ".join(
            f"{name} {category.thresholds[_named(stage)].hold:g}"
            for name, category in sorted(active.categories.items())
        )
        found.append((f"Held from, {stage}", holds))
    return (*found, ("Code version", settings.PROOFSHEET_VERSION))


def _named(stage: str) -> policy_document.Stage:
    return "prompt" if stage == "prompt" else "image"


def _prompt_stage(run: AuditRun, renders: list[AuditRender]) -> Outcomes:
    """One unit a prompt: its seeds have one verdict."""
    first = {render.prompt: render for render in reversed(renders)}
    kept = [render for render in renders if first[render.prompt] is render]
    return _stage("prompt", run, kept)


def _stage(stage: str, run: AuditRun, renders: list[AuditRender]) -> Outcomes:
    is_prompt = stage == "prompt"
    scores = [render.prompt_scores if is_prompt else render.image_scores for render in renders]
    verdicts = [render.prompt_verdict if is_prompt else render.image_verdict for render in renders]
    parts = [_part(each or {}, run.policy_version, stage) for each in scores]
    return Outcomes(
        stage=stage,
        template=np.array([render.template for render in renders], dtype=np.str_),
        activity=np.array([render.activity for render in renders], dtype=np.str_),
        groups={
            name: np.array([getattr(render, name) for render in renders], dtype=np.str_)
            for name in DIMENSIONS
        },
        seed=np.array([0 if is_prompt else render.seed for render in renders], dtype=np.int64),
        is_violating=np.array([render.truth == "violates" for render in renders], dtype=np.bool_),
        is_flagged=np.array([verdict != "allow" for verdict in verdicts], dtype=np.bool_),
        score=np.array(parts, dtype=np.float64),
    )


def _part(scores: dict[str, float], version: str, stage: str) -> float:
    _, score, threshold = frame.nearest(scores, version, stage=_named(stage))
    return score / threshold


def _distribution(stage: Outcomes) -> Lines:
    """Share of units at or below each score, by gender."""
    grid = np.linspace(0, 1, 101)
    series = []
    for value in np.unique(stage.groups["gender"]):
        kept = np.sort(np.minimum(stage.score[stage.groups["gender"] == value], 1.0))
        shares = np.searchsorted(kept, grid, side="right") / len(kept)
        xs, ys = (tuple(round(float(x), 4) for x in each) for each in (grid, shares))
        series.append((f"{title(str(value))} (n {len(kept)})", xs, ys))
    return Lines(
        f"scores-{stage.stage}",
        f"Scores by gender, {stage.stage} stage",
        "score, in parts of the threshold (1 is held)",
        "share of items at or below",
        tuple(series),
    )
