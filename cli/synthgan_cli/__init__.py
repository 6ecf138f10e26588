"""The `synthgan` command. Heavy libraries are imported inside the commands, so that help is there at once."""
