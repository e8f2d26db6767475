"""One file per stage; `core.pipeline.order` lists their order."""
