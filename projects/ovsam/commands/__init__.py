"""The subcommands of ``ovsam``, a module each; ``ovsam_cli`` finds them by their names."""
