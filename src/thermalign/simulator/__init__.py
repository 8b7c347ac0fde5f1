"""The built-in dataset of paired radiometric thermal and visible faces."""
