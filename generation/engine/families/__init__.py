"""One file a family: what the engine asks for is `FamilySpec`, which family it is `registry`.

A new family touches, in this order; tests fail where one is left out:

- here: its file, a line in `registry`; `loading/quantization.LAYERS` where its blocks' linears have
  names of their own;
- `adapters/models/base_model.Family` with a migration, and `adapters/base_models/registration`'s
  PIPELINES, which tell it by its pipeline and its network's configuration;
- `adapters/formats`: `target_modules` (its name, and how its authors' code spells layers, by
  `spelling_rules`), `adapted_layers` (which of them have slots), `stated_base_model` (what trainers
  write in metadata);
- `adapters/families`: its published configuration in `derive`, whose run writes its layers; it
  leaves `foreign_sources`, and `derive_foreign` is run;
- `tests/engine/tiny_models` a tiny one of it, which FAMILIES of the tests there take up; its
  `LOADERS` entry in `tests/adapters/test_foreign_architectures` becomes None;
- README, `templates/adapters/upload.html` and `docs/use/train-an-adapter.md` name it.
"""
