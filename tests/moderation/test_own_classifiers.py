"""Models of one's own in place of the classifiers that ship: tiny ones, saved by the tests."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    ViTConfig,
    ViTForImageClassification,
)
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from moderation.classifiers import chosen, image, own, prompt
from moderation.models import Screening
from moderation.policy.rulebook import policy_document
from moderation.screening import classify
from provenance.pictures.decoder import PictureUnreadable
from tests.moderation.makers import NOON, picture

CATEGORIES = policy_document.load(policy_document.ACTIVE["general"]).categories
WORDS = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "a", "red", "apple", "ask", "safe", "unsafe", "S1",
         "S4", "end"]  # fmt: skip


@pytest.fixture(autouse=True)
def forget_models() -> Iterator[None]:
    yield
    for kind in chosen.KINDS:
        chosen.use(kind, None)


def tokenizer() -> PreTrainedTokenizerFast:
    plain = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    plain.pre_tokenizer = Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", eos_token="end",
        chat_template="{% for m in messages %}{{ m['content'] }} {% endfor %}ask",
    )  # fmt: skip


def text_folder(folder: Path, *, is_multi: bool = False) -> Path:
    """A randomly initialised BERT of two labels."""
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=32,
        id2label={0: "fine", 1: "gore"}, label2id={"fine": 0, "gore": 1},
        problem_type="multi_label_classification" if is_multi else None,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def picture_folder(folder: Path) -> Path:
    """A randomly initialised ViT of two labels."""
    torch.manual_seed(7)
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=32, patch_size=16, id2label={0: "fine", 1: "nsfw"},
        label2id={"fine": 0, "nsfw": 1},
    )  # fmt: skip
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def guard_folder(folder: Path, answer: list[str]) -> Path:
    """A Llama whose layers add nothing, so that each word alone decides which one follows."""
    count = len(WORDS)
    config = LlamaConfig(
        vocab_size=count, hidden_size=16, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=16, max_position_embeddings=64, tie_word_embeddings=False,
        eos_token_id=WORDS.index("end"), pad_token_id=WORDS.index("[PAD]"),
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(count, 16))
        model.lm_head.weight.zero_()
        for before, after in zip(["ask", *answer], [*answer, "end"], strict=True):
            model.lm_head.weight[WORDS.index(after), WORDS.index(before)] = 2.0
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def model_of(folder: Path, labels: dict[str, str]) -> chosen.ChosenModel:
    said = {"model": str(folder), "revision": chosen.digest(folder), "labels": labels}
    return chosen.parse(said, categories=CATEGORIES)


# ------------------------------------------------------------------ what a setting may say
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"model": "a/b", "revision": "main", "labels": {"x": "hate"}}, "40 digits of its commit"),
        ({"model": "/a/b", "revision": "0" * 40, "labels": {"x": "hate"}}, "classifier_digest"),
        ({"model": "a/b", "revision": "0" * 40, "labels": {}}, "needs a model and its labels"),
        ({"model": "a/b", "revision": "0" * 40, "labels": {"x": "kittens"}}, "kittens"),
        ({"model": "a/b", "revision": "0" * 40, "labels": {"x": "hate"}, "code": 1}, "code"),
    ],
)
def test_setting_is_refused_unless_it_is_pinned_and_names_categories(
    said: dict[str, Any], words: str
) -> None:
    with pytest.raises(chosen.ClassifierInvalid, match=words):
        chosen.parse(said, categories=CATEGORIES)


def test_hub_id_is_pinned_to_its_commit() -> None:
    said = {"model": "org/guard", "revision": "0" * 40, "labels": {"x": "hate"}}
    made = chosen.parse(said, categories=CATEGORIES)
    assert (made.name, made.is_folder) == ("guard", False)
    assert own._pinned(made)["revision"] == "0" * 40


def test_setting_that_cannot_be_used_stops_the_start(settings: Any) -> None:
    settings.PROOFSHEET_CLASSIFIERS = {"image": {"model": "a/b"}}
    with pytest.raises(ImproperlyConfigured, match="IMAGE_CLASSIFIER"):
        apps.get_app_config("moderation").ready()


def test_setting_is_used_from_the_start(settings: Any, tmp_path: Path) -> None:
    folder = text_folder(tmp_path)
    settings.PROOFSHEET_CLASSIFIERS = {
        "prompt": {
            "model": str(folder),
            "revision": chosen.digest(folder),
            "labels": {"gore": "violence"},
        }
    }
    apps.get_app_config("moderation").ready()
    assert isinstance(prompt.classifier(), own.TextModel)
    assert image.classifier() is image.shipped()


def test_command_prints_the_digest_that_pins_a_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    out = StringIO()
    call_command("classifier_digest", str(tmp_path), stdout=out)
    assert out.getvalue().strip() == chosen.digest(tmp_path)
    with pytest.raises(CommandError, match="no folder"):
        call_command("classifier_digest", str(tmp_path / "none"))


def test_folder_that_changed_is_not_loaded(tmp_path: Path) -> None:
    found = model_of(text_folder(tmp_path), {"gore": "violence"})
    (tmp_path / "config.json").write_text((tmp_path / "config.json").read_text() + " ")
    with pytest.raises(chosen.ClassifierChanged):
        own.prompt_classifier(found)


# ------------------------------------------------------------------ scores
@pytest.mark.parametrize("is_multi", [False, True])
def test_text_model_scores_the_categories_that_its_labels_stand_for(
    tmp_path: Path, is_multi: bool
) -> None:
    found = model_of(text_folder(tmp_path, is_multi=is_multi), {"gore": "violence"})
    classifier = own.prompt_classifier(found)
    first, again = classifier.score("a red apple"), classifier.score("a red apple")
    assert set(first) == {"violence"}
    assert 0 < first["violence"] < 1
    assert first == again
    assert classifier.score("apple") != first


def test_labels_that_the_model_lacks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(chosen.ClassifierInvalid, match="smoke"):
        own.prompt_classifier(model_of(text_folder(tmp_path), {"smoke": "drugs"}))


def test_picture_model_scores_a_picture(tmp_path: Path) -> None:
    found = model_of(picture_folder(tmp_path), {"nsfw": "sexual"})
    scores = own.image_classifier(found).score(picture())
    assert set(scores) == {"sexual"}
    assert 0 < scores["sexual"] < 1
    with pytest.raises(PictureUnreadable):
        own.image_classifier(found).score(b"no picture")


@pytest.mark.parametrize(
    ("answer", "scores"),
    [
        (["unsafe", "S1"], {"violence": "high", "hate": "none", "deception": "none"}),
        (["unsafe", "S4"], {"violence": "none", "hate": "high", "deception": "none"}),
        (["unsafe"], {"violence": "none", "hate": "none", "deception": "high"}),
        (["safe"], {"violence": "none", "hate": "none", "deception": "low"}),
        (["red"], {"violence": "none", "hate": "none", "deception": "all"}),
    ],
    ids=["S1", "S4", "no code", "safe", "unreadable"],
)
def test_guard_gives_the_named_hazards_the_probability_of_unsafe(
    tmp_path: Path, answer: list[str], scores: dict[str, str]
) -> None:
    labels = {"S1": "violence", "S4": "hate", "unsafe": "deception"}
    found = own.prompt_classifier(model_of(guard_folder(tmp_path, answer), labels))
    bounds = {"none": (0, 0), "low": (0.0001, 0.2), "high": (0.8, 0.9999), "all": (1, 1)}
    for category, share in found.score("a red apple").items():
        low, high = bounds[scores[category]]
        assert low <= share <= high, category


def test_guard_needs_a_category_for_answers_without_a_code(tmp_path: Path) -> None:
    found = model_of(guard_folder(tmp_path, ["safe"]), {"S1": "violence"})
    with pytest.raises(chosen.ClassifierInvalid, match="unsafe"):
        own.prompt_classifier(found)


def test_model_of_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    found = model_of(picture_folder(tmp_path), {"nsfw": "sexual"})
    with pytest.raises(chosen.ClassifierInvalid, match="ViTForImageClassification"):
        own.prompt_classifier(found)


# ------------------------------------------------------------------ in the screening
@pytest.mark.django_db
def test_screening_uses_the_own_models_and_keeps_their_versions(tmp_path: Path) -> None:
    words = model_of(guard_folder(tmp_path / "guard", ["unsafe", "S1"]),
                     {"S1": "violence", "unsafe": "hate"})  # fmt: skip
    chosen.use("prompt", words)
    chosen.use("image", model_of(picture_folder(tmp_path / "vit"), {"nsfw": "sexual"}))
    verdict = classify.screen_prompt("a red apple", at=NOON)
    kept = Screening.objects.get(id=verdict.screening_id)
    assert verdict.verdict in {"hold", "refuse"}
    assert kept.classifier == f"guard {words.revision[:12]}"
    again = classify.cached_prompt_verdict("a red apple", at=NOON)
    assert again is not None
    seen = classify.screen_image(picture(), at=NOON)
    assert set(seen.categories) == {"sexual"}
    chosen.use("prompt", None)
    assert classify.cached_prompt_verdict("a red apple", at=NOON) is None
