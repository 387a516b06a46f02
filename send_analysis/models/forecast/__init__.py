"""How many plans to expect, how sure, and how good that has been."""
