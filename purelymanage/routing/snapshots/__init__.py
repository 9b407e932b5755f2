"""The configuration of the account as it was: kept, compared and brought back."""
