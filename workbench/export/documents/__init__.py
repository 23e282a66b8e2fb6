"""The files that describe a bundle: model card, SBOM, MLmodel, requirements, cluster manifests."""
