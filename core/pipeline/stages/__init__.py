"""One file a stage, named by its verb. Their order is in `core.pipeline.order`."""
