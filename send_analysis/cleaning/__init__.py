"""Official release → tidy table: one module a publisher; `releases.yml` says how files look."""
