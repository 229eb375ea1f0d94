"""The manifests of the modules (`sql/<module>/module.yaml`): read, turned into validators and pages, compared."""
