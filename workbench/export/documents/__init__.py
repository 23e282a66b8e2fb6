"""The members of a bundle that describe it: model card, SBOM, MLmodel, requirements, manifests for clusters."""
