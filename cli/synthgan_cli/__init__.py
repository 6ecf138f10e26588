"""The `synthgan` command."""
