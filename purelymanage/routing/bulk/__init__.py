"""Many rules at once: from a template, a table or a snapshot."""
