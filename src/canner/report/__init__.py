"""Results as Markdown and pictures, built from the JSON files that the experiments left (`Results`)."""
