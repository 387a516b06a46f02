"""Plans by age and setting, carried forward year by year."""
